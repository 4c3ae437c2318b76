/* The engine: walks a plan's table over the batches of an epoch, in one call.

   When several threads share a net, each runs this whole loop, on its share of every layer: of the
   rows of the output, of those of dx, and of those of W.  Nobody sums what another has computed, so
   the bits do not depend on the number of threads.  They wait for each other between two stages
   when the second reads what the first has written, or writes what it has read. */

struct net {
    const struct job *job;
    int64_t capacity; /* samples that the workspace has room for */
    int64_t n;        /* samples in this batch */
    const int64_t *rows;
    struct samples bytes; /* what the first product reads instead of its X, if any */
    struct ahead ahead;
};

#define ROW(r) (net->job->table + (r)*COLUMN_COUNT)
#define REALS(r) (net->job->reals + (r)*SCALAR_COUNT)

INLINE real *value(const struct net *net, int64_t buffer) {
    return net->job->values + buffer * net->capacity;
}

INLINE real *delta(const struct net *net, int64_t buffer) {
    return net->job->deltas + buffer * net->capacity;
}

INLINE real *bias_of(const int64_t *row, real *vector_of_params) {
    return row[COLUMN_BIAS] < 0 ? NULL : vector_of_params + row[COLUMN_BIAS];
}

/* Whether a row has weights of its own; a penalty's are those of the row before. */
INLINE int has_weights(const int64_t *row) {
    return row[COLUMN_SIZE] > 0 && row[COLUMN_OP] != OP_PENALTY;
}

/* Where a BATCH_NORMALIZATION row's gamma is, among the parameters or their gradients. */
INLINE real *gamma_of(const int64_t *row, real *vector_of_params) {
    int64_t beside = row[COLUMN_BIAS] < 0 ? 0 : row[COLUMN_OUTPUTS];
    return row[COLUMN_SIZE] > beside ? vector_of_params + row[COLUMN_WEIGHTS] : NULL;
}

/* Wait for the other threads; returns 0 if they will not come, which only the first wait can. */
INLINE int wait(const struct net *net) {
    return wait_for_all(net->job->barrier, net->job->threads);
}

/* This thread's share of `count` equal things. */
INLINE int64_t first_of(const struct net *net, int64_t count) {
    return count * net->job->thread / net->job->threads;
}

INLINE int64_t last_of(const struct net *net, int64_t count) {
    return count * (net->job->thread + 1) / net->job->threads;
}

/* Whether the first product can read the data set itself: bytes that need no change, and that no
   other thread waits for. */
static int reads_bytes(const struct net *net) {
    const struct job *job = net->job;
    return job->threads == 1 && ROW(1)[COLUMN_OP] == OP_DENSE &&
           job->sample_bytes == ROW(0)[COLUMN_OUTPUTS] && REALS(0)[SCALAR_SCALE] == 1 &&
           REALS(0)[SCALAR_OFFSET] == 0;
}

/* Bring the batch's samples into the first buffer. */
static void gather(const struct net *net) {
    const struct job *job = net->job;
    const int64_t *row = ROW(0);
    int64_t features = row[COLUMN_OUTPUTS], first = first_of(net, net->n);
    int64_t count = last_of(net, net->n) - first;
    real *out = value(net, row[COLUMN_Y]) + first * features;
    real scale = (real)REALS(0)[SCALAR_SCALE], offset = (real)REALS(0)[SCALAR_OFFSET];
    if (job->sample_bytes == features)
        gather_bytes(job->samples, net->rows + first, scale, offset, out, features, count);
    else
        gather_reals((const real *)job->samples, net->rows + first, scale, offset, out, features,
                     count);
}

/* What a thread normalizes of a BATCH_NORMALIZATION row: always the same share of the features, so
   that it waits for no other between the statistics, the sums and what is computed from them. */
struct normalization {
    int64_t first, count;
    double epsilon;
    real *mean, *variance; /* of the batch */
    real *running_mean, *running_variance;
    const real *gamma, *beta; /* NULL if the layer has none */
    real *dgamma, *dbeta;     /* whether it has or not: dx needs them */
};

static struct normalization normalization_of(const struct net *net, int64_t r) {
    const struct job *job = net->job;
    const int64_t *row = ROW(r);
    int64_t outputs = row[COLUMN_OUTPUTS], first = first_of(net, outputs);
    real *statistics = value(net, row[COLUMN_Y] + outputs) + first;
    real *gradients = delta(net, row[COLUMN_Y] + outputs) + first;
    real *running = job->running ? job->running + row[COLUMN_RUNNING] + first : NULL;
    const real *gamma = gamma_of(row, job->params), *beta = bias_of(row, job->params);
    return (struct normalization){
        .first = first,
        .count = last_of(net, outputs) - first,
        .epsilon = REALS(r)[SCALAR_EPSILON],
        .mean = statistics,
        .variance = statistics + outputs,
        .running_mean = running,
        .running_variance = running ? running + outputs : NULL,
        .gamma = gamma ? gamma + first : NULL,
        .beta = beta ? beta + first : NULL,
        .dgamma = gradients,
        .dbeta = gradients + outputs,
    };
}

static void normalization_forward(const struct net *net, int64_t r, int64_t phase) {
    struct normalization own = normalization_of(net, r);
    const real *x = value(net, ROW(r)[COLUMN_X]) + own.first * net->n;
    real *y = value(net, ROW(r)[COLUMN_Y]) + own.first * net->n;
    int predicts = phase == PHASE_PREDICT;
    if (!predicts) batch_statistics(x, own.mean, own.variance, own.count, net->n);
    batchnorm_forward(own.epsilon, x, predicts ? own.running_mean : own.mean,
                      predicts ? own.running_variance : own.variance, own.gamma, own.beta, y,
                      own.count, net->n);
}

/* Compute the gradients of gamma and beta, which that of x needs too; in training, let the running
   statistics follow the batch's. */
static void normalization_sums(const struct net *net, int64_t r) {
    struct normalization own = normalization_of(net, r);
    const real *x = value(net, ROW(r)[COLUMN_X]) + own.first * net->n;
    const real *dy = delta(net, ROW(r)[COLUMN_Y]) + own.first * net->n;
    batchnorm_weight_gradient(own.epsilon, x, own.mean, own.variance, dy, own.dgamma, own.dbeta,
                              own.count, net->n);
    if (net->job->mode != MODE_TRAIN) return;
    double momentum = REALS(r)[SCALAR_MOMENTUM];
    running_update(momentum, own.mean, own.running_mean, own.count);
    running_update(momentum, own.variance, own.running_variance, own.count);
}

static void normalization_backward(const struct net *net, int64_t r) {
    struct normalization own = normalization_of(net, r);
    int64_t start = own.first * net->n;
    batchnorm_input_gradient(own.epsilon, value(net, ROW(r)[COLUMN_X]) + start, own.mean,
                             own.variance, own.gamma, own.dgamma, own.dbeta,
                             delta(net, ROW(r)[COLUMN_Y]) + start,
                             delta(net, ROW(r)[COLUMN_X]) + start, own.count, net->n);
}

/* Compute this thread's share of one row's output buffer. */
static void forward_row(struct net *net, int64_t r, int64_t step, int64_t phase) {
    const struct job *job = net->job;
    const int64_t *row = ROW(r);
    const double *reals = REALS(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = net->n;
    const real *x = value(net, row[COLUMN_X]);
    real *y = value(net, row[COLUMN_Y]);
    int64_t first = first_of(net, outputs), last = last_of(net, outputs);
    int64_t start = first * n, size = (last - first) * n; /* of element-wise work */
    switch (row[COLUMN_OP]) {
    case OP_DENSE: {
        const real *weights = job->params + row[COLUMN_WEIGHTS] + first * inputs;
        const real *bias = bias_of(row, job->params);
        if (bias) bias += first;
        if (row[COLUMN_ROWS]) /* dense_forward_rows, and more at once */
            nt_set(weights, value(net, row[COLUMN_X]), net->bytes.data ? &net->bytes : NULL, bias,
                   (real)reals[SCALAR_SCALE], y + start, last - first, inputs, n,
                   job->mode < MODE_GRADIENT ? &net->ahead : NULL);
        else
            dense_forward(x, weights, bias, y + start, last - first, inputs, n);
        break;
    }
    case OP_ACTIVATION:
        activation_forward(row[COLUMN_KIND], (real)reals[SCALAR_ALPHA], x + start, y + start, size);
        break;
    case OP_SOFTMAX:
        if (job->thread == 0)
            softmax_forward(x, value(net, row[COLUMN_Y] + outputs), y, outputs, n);
        break;
    case OP_RESCALE:
        rescale((real)reals[SCALAR_SCALE], (real)reals[SCALAR_OFFSET], x + start, y + start, size);
        break;
    case OP_TRANSPOSE:
        transpose_rows(x, y, outputs, n, first, last);
        break;
    case OP_DROPOUT: {
        real *mask = value(net, row[COLUMN_Y] + outputs);
        if (phase == PHASE_PREDICT) {
            memcpy(y + start, x + start, (size_t)size * sizeof(real));
            break;
        }
        if (phase == PHASE_LEARN) {
            int64_t blocks = (outputs * n + 3) / 4;
            dropout_blocks(row[COLUMN_KEY], step, reals[SCALAR_RATE], mask, outputs * n,
                           first_of(net, blocks), last_of(net, blocks));
            wait(net);
        }
        multiply(x + start, mask + start, y + start, size);
        break;
    }
    case OP_ADD:
        add(x + start, value(net, row[COLUMN_OTHER]) + start, y + start, size);
        break;
    case OP_BATCH_NORMALIZATION: normalization_forward(net, r, phase); break;
    }
}

/* Compute this thread's share of the gradient with respect to one row's input. */
static void backward_row(const struct net *net, int64_t r) {
    const struct job *job = net->job;
    const int64_t *row = ROW(r);
    const double *reals = REALS(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = net->n;
    const real *x = value(net, row[COLUMN_X]), *y = value(net, row[COLUMN_Y]);
    const real *dy = delta(net, row[COLUMN_Y]);
    real *dx = delta(net, row[COLUMN_X]);
    int64_t first = first_of(net, inputs), last = last_of(net, inputs);
    int64_t start = first * n, size = (last - first) * n;
    switch (row[COLUMN_OP]) {
    case OP_DENSE: /* dense_input_gradient, of some of the inputs */
        nn_set(job->params + row[COLUMN_WEIGHTS] + first, 1, inputs, dy, NULL, 1, dx + start,
               last - first, outputs, n, NULL);
        break;
    case OP_ACTIVATION:
        activation_backward(row[COLUMN_KIND], (real)reals[SCALAR_ALPHA], x + start, y + start,
                            dy + start, dx + start, size);
        break;
    case OP_SOFTMAX:
        if (job->thread == 0)
            softmax_backward(y, dy, delta(net, row[COLUMN_Y] + outputs), dx, outputs, n);
        break;
    case OP_RESCALE:
        rescale((real)reals[SCALAR_SCALE], 0, dy + start, dx + start, size);
        break;
    case OP_TRANSPOSE: /* dx is (n, features) */
        transpose_rows(dy, dx, n, inputs, first_of(net, n), last_of(net, n));
        break;
    case OP_DROPOUT:
        multiply(dy + start, value(net, row[COLUMN_Y] + outputs) + start, dx + start, size);
        break;
    case OP_FORK:
        add(dx + start, delta(net, row[COLUMN_OTHER]) + start, dx + start, size);
        break;
    case OP_ADD:
        memcpy(dx + start, dy + start, (size_t)size * sizeof(real));
        break;
    case OP_BATCH_NORMALIZATION: normalization_backward(net, r); break;
    }
}

/* The batch's summed loss; leaves the mean's gradient in the deltas of the loss row's X. */
static double loss_row(const struct net *net, int64_t r) {
    const struct job *job = net->job;
    const int64_t *row = ROW(r);
    int64_t features = row[COLUMN_INPUTS], n = net->n;
    const real *x = value(net, row[COLUMN_X]);
    real *dx = delta(net, row[COLUMN_X]), *scratch = value(net, row[COLUMN_Y]);
    return loss(row[COLUMN_KIND], (real)REALS(r)[SCALAR_ALPHA], x, net->rows, job->labels,
                job->targets, scratch, dx, features, n);
}

/* The sum of a metric over the batch. */
static double metric_row(const struct net *net, int64_t r) {
    const struct job *job = net->job;
    const int64_t *row = ROW(r);
    return metric(row[COLUMN_KIND], (real)REALS(r)[SCALAR_ALPHA], value(net, row[COLUMN_X]),
                  net->rows, job->labels, job->targets, row[COLUMN_INPUTS], net->n);
}

/* Compute the loss, which is returned, and add the metrics to their totals. */
static double judge(const struct net *net, int64_t loss_index, int64_t last_judge) {
    const struct job *job = net->job;
    double *total = job->totals + TOTAL_COUNT;
    /* The loss comes last, for a metric that is a loss sets a gradient, too. */
    for (int64_t r = loss_index + 1; r <= last_judge; r++) {
        int64_t op = ROW(r)[COLUMN_OP];
        if (op == OP_METRIC)
            *total++ += metric_row(net, r);
        else if (op == OP_LOSS_VALUE)
            *total++ += loss_row(net, r);
    }
    return loss_row(net, loss_index);
}

/* Write the inputs of a DENSE row, that are (inputs, n), as (n, inputs) too, if it wants them. */
static void transpose_input(const struct net *net, const int64_t *row) {
    if (row[COLUMN_ROWS] || row[COLUMN_X_ROWS] < 0) return;
    transpose_rows(value(net, row[COLUMN_X]), value(net, row[COLUMN_X_ROWS]), net->n,
                   row[COLUMN_INPUTS], first_of(net, net->n), last_of(net, net->n));
    wait(net);
}

/* Add this thread's share of the gradients of the PENALTY rows that follow row r. */
static void penalty_gradients(const struct net *net, int64_t r, int64_t step) {
    while (ROW(++r)[COLUMN_OP] == OP_PENALTY) {
        int64_t size = ROW(r)[COLUMN_SIZE], first = first_of(net, size);
        int64_t start = ROW(r)[COLUMN_WEIGHTS] + first;
        penalty_gradient((real)REALS(r)[SCALAR_L1], (real)REALS(r)[SCALAR_L2], step, first,
                         net->job->params + start, net->job->gradient + start,
                         last_of(net, size) - first);
    }
}

/* Step along this thread's share of the gradients of the PENALTY rows that follow row r. */
static void penalty_updates(const struct net *net, int64_t r, real rate, int64_t step) {
    while (ROW(++r)[COLUMN_OP] == OP_PENALTY) {
        int64_t size = ROW(r)[COLUMN_SIZE], first = first_of(net, size);
        penalty_update((real)REALS(r)[SCALAR_L1], (real)REALS(r)[SCALAR_L2], rate, step, first,
                       net->job->params + ROW(r)[COLUMN_WEIGHTS] + first,
                       last_of(net, size) - first);
    }
}

static int has_penalties(const struct net *net) {
    for (int64_t r = 0; r < net->job->table_rows; r++)
        if (ROW(r)[COLUMN_OP] == OP_PENALTY) return 1;
    return 0;
}

/* Compute what several gradients of one row need. */
static void prepare_gradients(const struct net *net, int64_t r) {
    switch (ROW(r)[COLUMN_OP]) {
    case OP_DENSE: transpose_input(net, ROW(r)); break;
    case OP_BATCH_NORMALIZATION: normalization_sums(net, r); break;
    }
}

/* Compute this thread's share of one DENSE row's part of the flat gradient. */
static void dense_gradient(struct net *net, int64_t r) {
    const int64_t *row = ROW(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = net->n;
    int64_t first = first_of(net, outputs), count = last_of(net, outputs) - first;
    const real *dy = delta(net, row[COLUMN_Y]) + first * n;
    real *weights = net->job->gradient + row[COLUMN_WEIGHTS] + first * inputs;
    real *bias = bias_of(row, net->job->gradient);
    if (row[COLUMN_X_ROWS] < 0)
        dense_weight_gradient(value(net, row[COLUMN_X]), dy, weights, count, inputs, n);
    else /* dense_weight_gradient_rows, and more at once */
        nn_set(dy, n, 1, value(net, row[COLUMN_X_ROWS]), NULL, (real)REALS(r)[SCALAR_SCALE],
               weights, count, n, inputs, row[COLUMN_ROWS] ? &net->ahead : NULL);
    dense_bias_gradient(dy, bias ? bias + first : NULL, count, n);
}

/* Take this thread's share of the step along one DENSE row's gradient, without storing it. */
static void dense_update(struct net *net, int64_t r, real rate) {
    const int64_t *row = ROW(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = net->n;
    int64_t first = first_of(net, outputs), count = last_of(net, outputs) - first;
    const real *dy = delta(net, row[COLUMN_Y]) + first * n;
    real *weights = net->job->params + row[COLUMN_WEIGHTS] + first * inputs;
    real *bias = bias_of(row, net->job->params);
    if (row[COLUMN_X_ROWS] < 0)
        dense_weight_update(value(net, row[COLUMN_X]), dy, -rate, weights, count, inputs, n);
    else /* dense_weight_update_rows, and more at once */
        nn_add(dy, n, 1, value(net, row[COLUMN_X_ROWS]), -rate * (real)REALS(r)[SCALAR_SCALE],
               weights, count, n, inputs, row[COLUMN_ROWS] ? &net->ahead : NULL);
    dense_bias_update(dy, -rate, bias ? bias + first : NULL, count, n);
}

static void normalization_gradient(const struct net *net, int64_t r) {
    struct normalization own = normalization_of(net, r);
    real *gamma = gamma_of(ROW(r), net->job->gradient), *beta = bias_of(ROW(r), net->job->gradient);
    size_t size = (size_t)own.count * sizeof(real);
    if (gamma) memcpy(gamma + own.first, own.dgamma, size);
    if (beta) memcpy(beta + own.first, own.dbeta, size);
}

static void normalization_update(const struct net *net, int64_t r, real rate) {
    struct normalization own = normalization_of(net, r);
    real *gamma = gamma_of(ROW(r), net->job->params), *beta = bias_of(ROW(r), net->job->params);
    const struct step step = {.rate = rate};
    if (gamma) descent_step(&step, gamma + own.first, own.dgamma, own.count);
    if (beta) descent_step(&step, beta + own.first, own.dbeta, own.count);
}

/* Compute this thread's share of one row's part of the flat gradient. */
static void weight_gradient_row(struct net *net, int64_t r) {
    switch (ROW(r)[COLUMN_OP]) {
    case OP_DENSE: dense_gradient(net, r); break;
    case OP_BATCH_NORMALIZATION: normalization_gradient(net, r); break;
    }
}

/* Take this thread's share of the step along one row's gradient, which need not be stored. */
static void weight_update_row(struct net *net, int64_t r, real rate) {
    switch (ROW(r)[COLUMN_OP]) {
    case OP_DENSE: dense_update(net, r, rate); break;
    case OP_BATCH_NORMALIZATION: normalization_update(net, r, rate); break;
    }
}

static int is_observed(const struct net *net, int64_t batch) {
    return net->job->telemetry_every > 0 && batch % net->job->telemetry_every == 0;
}

static double *record_of(const struct net *net, int64_t batch, int64_t r) {
    const struct job *job = net->job;
    return job->telemetry + (batch / job->telemetry_every * job->table_rows + r) * TELEMETRY_COUNT;
}

/* Record one row's values, just before its backward step; overwrites the deltas of its X. */
static void observe_row(const struct net *net, int64_t r, double *record) {
    const int64_t *row = ROW(r);
    int64_t n = net->n;
    const real *x = value(net, row[COLUMN_X]), *y = value(net, row[COLUMN_Y]);
    record_values(y, record, row[COLUMN_OUTPUTS] * n);
    if (row[COLUMN_OP] == OP_ACTIVATION)
        record_slopes(row[COLUMN_KIND], (real)REALS(r)[SCALAR_ALPHA], x, y, n, row[COLUMN_ROWS],
                      delta(net, row[COLUMN_X]), record, row[COLUMN_INPUTS] * n);
}

/* Record the step that was taken, for each row with weights. */
static void observe_step(const struct net *net, int64_t loss_index, int64_t batch) {
    const struct job *job = net->job;
    for (int64_t r = 1; r < loss_index; r++) {
        if (!has_weights(ROW(r))) continue;
        int64_t start = ROW(r)[COLUMN_WEIGHTS];
        record_step(job->before + start, job->params + start, job->gradient + start,
                    record_of(net, batch, r), ROW(r)[COLUMN_SIZE]);
    }
}

/* The last row that compares outputs with right answers: the loss, or a metric. */
static int64_t last_to_judge(const struct net *net, int64_t loss_index) {
    int64_t last = loss_index;
    for (int64_t r = loss_index + 1; r < net->job->table_rows; r++)
        if (ROW(r)[COLUMN_OP] >= FIRST_LOSS) last = r;
    return last;
}

/* Run the rows before `stop` forward; returns the penalties' value in thread 0. */
static double forward(struct net *net, int64_t step, int64_t stop) {
    const struct job *job = net->job;
    int predicts = job->mode == MODE_PREDICT;
    int64_t phase = job->mode < MODE_GRADIENT ? PHASE_PREDICT : PHASE_LEARN;
    double penalties = 0;
    for (int64_t r = 1; r < stop; r++) {
        int64_t op = ROW(r)[COLUMN_OP];
        /* A softmax that the loss has built in may follow it, for predictions, and for metrics. */
        if (op >= FIRST_LOSS) continue;
        if (op == OP_PENALTY) {
            if (!predicts && job->thread == 0)
                penalties += penalty(REALS(r)[SCALAR_L1], REALS(r)[SCALAR_L2],
                                     job->params + ROW(r)[COLUMN_WEIGHTS], ROW(r)[COLUMN_SIZE]);
            continue;
        }
        forward_row(net, r, step, phase);
        wait(net);
    }
    return penalties;
}

/* From the loss's gradient down to the first layer's weights. */
static void backward(struct net *net, int64_t loss_index, int64_t batch, int fused) {
    const struct job *job = net->job;
    real rate = fused ? (real)job->rates[batch - job->first] : 0;
    int observed = is_observed(net, batch);
    for (int64_t r = loss_index - 1; r > 0; r--) {
        const int64_t *row = ROW(r);
        int weighted = has_weights(row);
        prepare_gradients(net, r);
        if (weighted && (observed || !fused)) {
            weight_gradient_row(net, r);
            wait(net);
            penalty_gradients(net, r, job->first_step + batch);
        }
        if (observed) {
            wait(net);
            if (job->thread == 0) observe_row(net, r, record_of(net, batch, r));
            wait(net);
        }
        if (row[COLUMN_INPUT_GRADIENT]) {
            backward_row(net, r);
            wait(net);
        }
        if (weighted && fused) {
            if (ROW(r + 1)[COLUMN_OP] == OP_PENALTY) {
                penalty_updates(net, r, rate, job->first_step + batch);
                wait(net);
            }
            weight_update_row(net, r, rate);
        }
    }
    wait(net);
}

/* Keep this thread's share of the parameters as they are before a step that is recorded. */
static void keep_params(const struct net *net) {
    const struct job *job = net->job;
    int64_t first = first_of(net, job->params_size), end = last_of(net, job->params_size);
    memcpy(job->before + first, job->params + first, (size_t)(end - first) * sizeof(real));
    wait(net);
}

/* Take this thread's share of a step along the whole gradient. */
static void take_step(const struct net *net, int64_t batch) {
    const struct job *job = net->job;
    int64_t first = first_of(net, job->params_size);
    optimizer_step(job->rule, job->rates[batch - job->first], job->first_step + batch,
                   has_penalties(net), first, job->params + first, job->gradient + first,
                   job->first_moment ? job->first_moment + first : NULL,
                   job->second_moment ? job->second_moment + first : NULL, job->numbers,
                   last_of(net, job->params_size) - first);
    wait(net);
}

/* Run the batches `first` to `last` of an epoch.  Returns `last`, or the index of the first batch
   whose loss is not finite; that batch is not learned from.  Evaluation goes on to the end.
   Returns -1, with nothing changed, if not all threads came. */
static int64_t run(const struct job *job) {
    struct net the_net = {.job = job}, *net = &the_net;
    int64_t loss_index = 1;
    int fused = job->mode == MODE_TRAIN && job->rule == RULE_DESCENT;
    while (loss_index < job->table_rows && ROW(loss_index)[COLUMN_OP] < FIRST_LOSS) loss_index++;
    int64_t last_judge = job->mode == MODE_GRADIENT ? loss_index : last_to_judge(net, loss_index);
    int64_t stop = job->mode == MODE_PREDICT ? job->table_rows : last_judge;
    net->capacity = job->workspace_size / ROW(0)[COLUMN_X];
    net->bytes.data = reads_bytes(net) ? job->samples : NULL;
    if (!wait(net)) return -1;

    for (int64_t batch = job->first; batch < job->last; batch++) {
        int64_t begin = batch * job->batch_size, end = begin + job->batch_size;
        net->n = smaller(job->batch_size, job->order_size - begin);
        net->rows = job->order + begin;
        net->bytes.rows = net->rows;
        if (!net->bytes.data) gather(net);
        int64_t next = smaller(job->batch_size, job->order_size - end);
        net->ahead = (struct ahead){.data = job->samples, .bytes = job->sample_bytes};
        if (next > 0) {
            net->ahead.rows = job->order + end + first_of(net, next);
            net->ahead.n = last_of(net, next) - first_of(net, next);
        }
        if (job->mode != MODE_PREDICT) prefetch_labels(job->labels, net->rows, net->n);
        wait(net);
        double penalties = forward(net, job->first_step + batch, stop);
        if (job->mode == MODE_PREDICT) {
            int64_t r = job->table_rows - 1;
            while (ROW(r)[COLUMN_OP] >= FIRST_LOSS || ROW(r)[COLUMN_OP] == OP_PENALTY) r--;
            int64_t features = ROW(r)[COLUMN_OUTPUTS];
            transpose_rows(value(net, ROW(r)[COLUMN_Y]), job->outputs + begin * features, net->n,
                           features, first_of(net, net->n), last_of(net, net->n));
            wait(net);
            continue;
        }
        if (job->thread == 0) {
            double of_loss = judge(net, loss_index, last_judge);
            job->totals[TOTAL_LOSS] += of_loss;
            job->totals[TOTAL_PENALTY] += penalties * (double)net->n;
            job->totals[TOTAL_SAMPLES] += (double)net->n;
            job->barrier[BARRIER_STOP] =
                job->mode != MODE_EVALUATE && !isfinite(of_loss + penalties);
        }
        wait(net);
        if (job->barrier[BARRIER_STOP]) return batch;
        if (job->mode == MODE_EVALUATE) continue;
        int recorded = job->mode == MODE_TRAIN && is_observed(net, batch);
        if (recorded) keep_params(net);
        backward(net, loss_index, batch, fused);
        if (job->mode == MODE_TRAIN && !fused) take_step(net, batch);
        if (recorded) {
            if (job->thread == 0) observe_step(net, loss_index, batch);
            wait(net);
        }
    }
    return job->last;
}
