/* One row of a plan's table, forward and back: which kernel it calls, with what of the memory.

   Each function does this thread's share: see epoch.c. */

struct engine {
    const Job *job;
    int64_t capacity; /* samples that the workspace has room for */
    int64_t n;        /* samples in this batch */
    const int64_t *rows;
    struct samples bytes; /* what the first product reads instead of its X, if any */
    struct ahead ahead;
};

#define ROW(r) (engine->job->net.table + (r)*COLUMN_COUNT)
#define REALS(r) (engine->job->net.reals + (r)*SCALAR_COUNT)

INLINE real *value(const struct engine *engine, int64_t buffer) {
    return engine->job->memory.values + buffer * engine->capacity;
}

INLINE real *delta(const struct engine *engine, int64_t buffer) {
    return engine->job->memory.deltas + buffer * engine->capacity;
}

INLINE real *bias_of(const int64_t *row, real *vector_of_params) {
    return row[COLUMN_BIAS] < 0 ? NULL : vector_of_params + row[COLUMN_BIAS];
}

/* Whether the input of a DENSE row lies somewhere as (n, inputs) before the row is run. */
INLINE int has_rows(const int64_t *row) {
    return row[COLUMN_X_ROWS] >= 0 && row[COLUMN_X_ROWS] <= row[COLUMN_X];
}

/* Whether a row has weights that are trained. */
INLINE int learns(const int64_t *row) { return row[COLUMN_SIZE] > 0 && !row[COLUMN_FROZEN]; }

/* Where the gamma of a row with vectors is, among the parameters or their gradients. */
INLINE real *gamma_of(const int64_t *row, real *vector_of_params) {
    int64_t beside = row[COLUMN_BIAS] < 0 ? 0 : row[COLUMN_OUTPUTS] * row[COLUMN_MEMBERS];
    return row[COLUMN_SIZE] > beside ? vector_of_params + row[COLUMN_WEIGHTS] : NULL;
}

/* Wait for the other threads; returns 0 if they will not come, which only the first wait can. */
INLINE int wait(const struct engine *engine) {
    return wait_for_all(engine->job->team.barrier, engine->job->team.threads);
}

/* This thread's share of `count` equal things. */
INLINE int64_t first_of(const struct engine *engine, int64_t count) {
    return count * engine->job->team.thread / engine->job->team.threads;
}

INLINE int64_t stop_of(const struct engine *engine, int64_t count) {
    return count * (engine->job->team.thread + 1) / engine->job->team.threads;
}

/* Whether the first product can read the data set itself: bytes that need no change, and that no
   other thread waits for. */
static int reads_bytes(const struct engine *engine) {
    const Job *job = engine->job;
    return job->team.threads == 1 && ROW(1)[COLUMN_OP] == OP_DENSE &&
           job->batches.samples_shape[1] == ROW(0)[COLUMN_OUTPUTS] && REALS(0)[SCALAR_SCALE] == 1 &&
           REALS(0)[SCALAR_OFFSET] == 0;
}

/* Bring the batch's samples into the first buffer. */
static void gather(const struct engine *engine) {
    const Batches *batches = &engine->job->batches;
    const int64_t *row = ROW(0);
    int64_t features = row[COLUMN_OUTPUTS], first = first_of(engine, engine->n);
    int64_t count = stop_of(engine, engine->n) - first;
    real *out = value(engine, row[COLUMN_Y]) + first * features;
    real scale = (real)REALS(0)[SCALAR_SCALE], offset = (real)REALS(0)[SCALAR_OFFSET];
    const int64_t *rows = engine->rows + first;
    if (batches->samples_shape[1] == features)
        gather_bytes(batches->samples, rows, scale, offset, out, features, count);
    else
        gather_reals((const real *)batches->samples, rows, scale, offset, out, features, count);
}

/* What a thread does of a row with vectors, one of normalization or scaling: always the same share
   of the features, so that it waits for no other between the statistics, the sums and what is
   computed from them.  Statistics are those of a BATCH_NORMALIZATION row. */
struct normalization {
    int64_t first, count; /* features; of members of an ensemble, each has so many */
    int64_t n;            /* samples, of each member */
    double epsilon;
    real *mean, *variance; /* of the batch; if it is frozen, the running ones */
    real *running_mean, *running_variance;
    const real *gamma, *beta; /* NULL if the layer has none */
    real *dgamma, *dbeta;     /* whether it has or not: dx needs them */
};

static struct normalization normalization_of(const struct engine *engine, int64_t r) {
    const Job *job = engine->job;
    const int64_t *row = ROW(r);
    int64_t outputs = row[COLUMN_OUTPUTS], units = outputs * row[COLUMN_MEMBERS];
    int64_t first = first_of(engine, units);
    real *statistics = value(engine, row[COLUMN_Y] + outputs) + first;
    real *gradients = delta(engine, row[COLUMN_Y] + outputs) + first;
    real *running = job->net.running ? job->net.running + row[COLUMN_RUNNING] + first : NULL;
    if (row[COLUMN_FROZEN] && running) statistics = running;
    const real *gamma = gamma_of(row, job->net.params), *beta = bias_of(row, job->net.params);
    return (struct normalization){
        .first = first,
        .count = stop_of(engine, units) - first,
        .n = engine->n / row[COLUMN_MEMBERS],
        .epsilon = REALS(r)[SCALAR_EPSILON],
        .mean = statistics,
        .variance = statistics + units,
        .running_mean = running,
        .running_variance = running ? running + outputs : NULL,
        .gamma = gamma ? gamma + first : NULL,
        .beta = beta ? beta + first : NULL,
        .dgamma = gradients,
        .dbeta = gradients + units,
    };
}

static void normalization_forward(const struct engine *engine, int64_t r, int64_t phase) {
    struct normalization own = normalization_of(engine, r);
    const real *x = value(engine, ROW(r)[COLUMN_X]) + own.first * engine->n;
    real *y = value(engine, ROW(r)[COLUMN_Y]) + own.first * engine->n;
    int predicts = phase == PHASE_PREDICT || ROW(r)[COLUMN_FROZEN];
    if (!predicts) batch_statistics(x, own.mean, own.variance, own.count, engine->n);
    batchnorm_forward(own.epsilon, x, predicts ? own.running_mean : own.mean,
                      predicts ? own.running_variance : own.variance, own.gamma, own.beta, y,
                      own.count, engine->n);
}

/* Compute the gradients of gamma and beta, which that of x needs too; in training, let the running
   statistics follow the batch's.  If it is frozen, statistics do not depend on x: as if those
   gradients were 0. */
static void normalization_sums(const struct engine *engine, int64_t r) {
    struct normalization own = normalization_of(engine, r);
    if (ROW(r)[COLUMN_FROZEN]) {
        memset(own.dgamma, 0, (size_t)own.count * sizeof(real));
        memset(own.dbeta, 0, (size_t)own.count * sizeof(real));
        return;
    }
    const real *x = value(engine, ROW(r)[COLUMN_X]) + own.first * engine->n;
    const real *dy = delta(engine, ROW(r)[COLUMN_Y]) + own.first * engine->n;
    batchnorm_weight_gradient(own.epsilon, x, own.mean, own.variance, dy, own.dgamma, own.dbeta,
                              own.count, engine->n);
    if (engine->job->course.mode != MODE_TRAIN) return;
    double momentum = REALS(r)[SCALAR_MOMENTUM];
    running_update(momentum, own.mean, own.running_mean, own.count);
    running_update(momentum, own.variance, own.running_variance, own.count);
}

static void normalization_backward(const struct engine *engine, int64_t r) {
    struct normalization own = normalization_of(engine, r);
    int64_t start = own.first * engine->n;
    batchnorm_input_gradient(own.epsilon, value(engine, ROW(r)[COLUMN_X]) + start, own.mean,
                             own.variance, own.gamma, own.dgamma, own.dbeta,
                             delta(engine, ROW(r)[COLUMN_Y]) + start,
                             delta(engine, ROW(r)[COLUMN_X]) + start, own.count, engine->n);
}

/* Each sample's mean and inverse deviation, behind all else that a LAYER_NORMALIZATION row has in
   the values, or room as large in the deltas. */
INLINE int64_t sample_statistics(const int64_t *row) {
    return row[COLUMN_Y] + 3 * row[COLUMN_OUTPUTS];
}

/* The values of the activation of a MIXED_ACTIVATION row, behind the gradients of its vectors. */
INLINE real *activation_of(const struct engine *engine, const int64_t *row) {
    return value(engine, row[COLUMN_Y] + 3 * row[COLUMN_OUTPUTS]);
}

/* The same for rows with vectors but no statistics of the batch. */
static void vectors_forward(const struct engine *engine, int64_t r) {
    struct normalization own = normalization_of(engine, r);
    const int64_t *row = ROW(r);
    int64_t n = own.n, start = own.first * n;
    const real *x = value(engine, row[COLUMN_X]), *gamma = gamma_of(row, engine->job->net.params);
    real *y = value(engine, row[COLUMN_Y]);
    switch (row[COLUMN_OP]) {
    case OP_SCALE: scale_forward(x + start, own.gamma, own.beta, y + start, own.count, n); break;
    case OP_PRELU: prelu_forward(x + start, own.gamma, y + start, own.count, n); break;
    case OP_MIXED_ACTIVATION: {
        real *other = activation_of(engine, row) + start;
        activation_forward(row[COLUMN_KIND], (real)REALS(r)[SCALAR_ALPHA], x + start, other,
                           own.count * n);
        mix_forward(x + start, other, own.gamma, y + start, own.count, n);
        break;
    }
    case OP_LAYER_NORMALIZATION:
        if (engine->job->team.thread == 0)
            layernorm_forward(row[COLUMN_KIND], own.epsilon, x, gamma,
                              bias_of(row, engine->job->net.params),
                              value(engine, sample_statistics(row)), y, row[COLUMN_OUTPUTS], n);
        break;
    }
}

static void vectors_sums(const struct engine *engine, int64_t r) {
    struct normalization own = normalization_of(engine, r);
    const int64_t *row = ROW(r);
    int64_t n = own.n;
    const real *x = value(engine, row[COLUMN_X]) + own.first * n;
    const real *dy = delta(engine, row[COLUMN_Y]) + own.first * n;
    if (!learns(row)) return;
    switch (row[COLUMN_OP]) {
    case OP_SCALE: scale_weight_gradient(x, dy, own.dgamma, own.dbeta, own.count, n); break;
    case OP_PRELU: prelu_weight_gradient(x, dy, own.dgamma, own.count, n); break;
    case OP_MIXED_ACTIVATION:
        mix_weight_gradient(x, activation_of(engine, row) + own.first * n, dy, own.dgamma,
                            own.count, n);
        break;
    case OP_LAYER_NORMALIZATION:
        layernorm_weight_gradient(x, value(engine, sample_statistics(row)), dy, own.dgamma,
                                  own.dbeta, own.count, n);
        break;
    }
}

static void vectors_backward(const struct engine *engine, int64_t r) {
    struct normalization own = normalization_of(engine, r);
    const int64_t *row = ROW(r);
    int64_t n = own.n, start = own.first * n;
    const real *x = value(engine, row[COLUMN_X]), *dy = delta(engine, row[COLUMN_Y]);
    const real *gamma = gamma_of(row, engine->job->net.params);
    real *dx = delta(engine, row[COLUMN_X]);
    switch (row[COLUMN_OP]) {
    case OP_SCALE: scale_forward(dy + start, own.gamma, NULL, dx + start, own.count, n); break;
    case OP_PRELU:
        prelu_input_gradient(x + start, own.gamma, dy + start, dx + start, own.count, n);
        break;
    case OP_MIXED_ACTIVATION: /* dx is mixed as y is, of dy and of dy times the slope */
        activation_backward(row[COLUMN_KIND], (real)REALS(r)[SCALAR_ALPHA], x + start,
                            activation_of(engine, row) + start, dy + start, dx + start,
                            own.count * n);
        mix_forward(dy + start, dx + start, own.gamma, dx + start, own.count, n);
        break;
    case OP_LAYER_NORMALIZATION:
        if (engine->job->team.thread == 0)
            layernorm_input_gradient(row[COLUMN_KIND], x, value(engine, sample_statistics(row)),
                                     gamma, dy, delta(engine, sample_statistics(row)), dx,
                                     row[COLUMN_OUTPUTS], n);
        break;
    }
}

/* How many numbers each column of a COLUMNS row may hold, or all of them together. */
INLINE int64_t categories_of(const int64_t *row) {
    int by_column = row[COLUMN_KIND] == CODING_PASS || row[COLUMN_KIND] == CODING_ONE_HOT;
    return by_column ? row[COLUMN_OUTPUTS] / row[COLUMN_COLUMNS] : row[COLUMN_OUTPUTS];
}

/* An EMBEDDING row's weights are (categories, width); a thread has a share of the categories. */
INLINE int64_t width_of(const int64_t *row) { return row[COLUMN_OUTPUTS] / row[COLUMN_COLUMNS]; }

static void embedding_weights(const struct engine *engine, const int64_t *row, int stores,
                              real scale) {
    int64_t width = width_of(row), all = row[COLUMN_SIZE] / width, first = first_of(engine, all);
    int64_t categories = stop_of(engine, all) - first, begin = row[COLUMN_WEIGHTS] + first * width;
    const real *x = value(engine, row[COLUMN_X]);
    const real *dy = delta(engine, row[COLUMN_Y]) + row[COLUMN_PLACE] * engine->n;
    if (stores)
        embedding_gradient(row[COLUMN_FIRST], first, x, dy, engine->job->net.gradient + begin,
                           row[COLUMN_INPUTS], engine->n, categories, width, row[COLUMN_OUTPUTS]);
    else
        embedding_update(row[COLUMN_FIRST], first, scale, x, dy, engine->job->net.params + begin,
                         row[COLUMN_INPUTS], engine->n, categories, width, row[COLUMN_OUTPUTS]);
}

/* Of a GROUPED_DENSE row, a thread has a share of the groups: what its kernels read of one. */
struct group {
    int64_t inputs, outputs, weights, x, y; /* its width, and where it begins */
};

static struct group group_of(const struct engine *engine, const int64_t *row, int64_t g) {
    int64_t inputs = row[COLUMN_INPUTS] / row[COLUMN_GROUPS];
    int64_t outputs = row[COLUMN_OUTPUTS] / row[COLUMN_GROUPS];
    return (struct group){
        .inputs = inputs,
        .outputs = outputs,
        .weights = row[COLUMN_WEIGHTS] + g * inputs * outputs,
        .x = row[COLUMN_X] * engine->capacity + g * inputs * engine->n,
        .y = row[COLUMN_Y] * engine->capacity + (row[COLUMN_PLACE] + g * outputs) * engine->n,
    };
}

/* What is done of each group. */
enum { GROUP_FORWARD, GROUP_BACKWARD, GROUP_GRADIENT, GROUP_UPDATE };

static void each_group(const struct engine *engine, const int64_t *row, int what, real rate) {
    const Job *job = engine->job;
    real *values = job->memory.values, *deltas = job->memory.deltas;
    int64_t groups = row[COLUMN_GROUPS], n = engine->n;
    for (int64_t g = first_of(engine, groups); g < stop_of(engine, groups); g++) {
        const struct group own = group_of(engine, row, g);
        real *params = what == GROUP_GRADIENT ? job->net.gradient : job->net.params;
        real *weights = params + own.weights, *bias = bias_of(row, params);
        if (bias) bias += g * own.outputs;
        switch (what) {
        case GROUP_FORWARD:
            dense_forward(values + own.x, weights, bias, values + own.y, own.outputs, own.inputs,
                          n);
            break;
        case GROUP_BACKWARD:
            dense_input_gradient(weights, deltas + own.y, deltas + own.x, own.outputs, own.inputs,
                                 n);
            break;
        case GROUP_GRADIENT:
            dense_weight_gradient(values + own.x, deltas + own.y, weights, own.outputs, own.inputs,
                                  n);
            dense_bias_gradient(deltas + own.y, bias, own.outputs, n);
            break;
        case GROUP_UPDATE:
            dense_weight_update(values + own.x, deltas + own.y, -rate, weights, own.outputs,
                                own.inputs, n);
            dense_bias_update(deltas + own.y, -rate, bias, own.outputs, n);
            break;
        }
    }
}

/* Draw a mask in training, or use the one that is there, or none. */
static void noise_forward(const struct engine *engine, int64_t r, int64_t step, int64_t phase) {
    const int64_t *row = ROW(r);
    const double *reals = REALS(r);
    int64_t outputs = row[COLUMN_OUTPUTS], all = outputs * engine->n, blocks = (all + 3) / 4;
    int64_t start = first_of(engine, outputs) * engine->n;
    int64_t size = stop_of(engine, outputs) * engine->n - start;
    int64_t first = first_of(engine, blocks), stop = stop_of(engine, blocks);
    int64_t kind = row[COLUMN_KIND], key = row[COLUMN_KEY];
    const real *x = value(engine, row[COLUMN_X]) + start;
    real *y = value(engine, row[COLUMN_Y]) + start, *mask = value(engine, row[COLUMN_Y] + outputs);
    if (phase == PHASE_PREDICT) {
        memcpy(y, x, (size_t)size * sizeof(real));
        return;
    }
    if (phase == PHASE_LEARN) {
        if (kind == NOISE_GAUSSIAN_DROPOUT || kind == NOISE_GAUSSIAN_NOISE)
            normal_blocks(key, step, kind == NOISE_GAUSSIAN_DROPOUT, reals[SCALAR_RATE], mask, all,
                          first, stop);
        else
            dropout_blocks(key, step, reals[SCALAR_RATE], mask, all, first, stop);
        wait(engine);
    }
    if (kind == NOISE_GAUSSIAN_NOISE)
        add(x, mask + start, y, size);
    else if (kind == NOISE_ALPHA_DROPOUT)
        alpha_dropout((real)reals[SCALAR_SCALE], (real)reals[SCALAR_OFFSET],
                      (real)reals[SCALAR_ALPHA], x, mask + start, y, size);
    else
        multiply(x, mask + start, y, size);
}

/* Compute this thread's share of one row's output buffer. */
static void forward_row(struct engine *engine, int64_t r, int64_t step, int64_t phase) {
    const Job *job = engine->job;
    const int64_t *row = ROW(r);
    const double *reals = REALS(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = engine->n;
    const real *x = value(engine, row[COLUMN_X]);
    real *y = value(engine, row[COLUMN_Y]);
    if (row[COLUMN_LEARNS] && phase == PHASE_PREDICT) phase = PHASE_LEARN;
    int64_t first = first_of(engine, outputs), stop = stop_of(engine, outputs);
    int64_t start = first * n, size = (stop - first) * n; /* of element-wise work */
    switch (row[COLUMN_OP]) {
    case OP_DENSE: {
        const real *weights = job->net.params + row[COLUMN_WEIGHTS] + first * inputs;
        const real *bias = bias_of(row, job->net.params);
        if (bias) bias += first;
        if (row[COLUMN_ROWS]) /* dense_forward_rows, and more at once */
            nt_set(weights, value(engine, row[COLUMN_X]),
                   engine->bytes.data ? &engine->bytes : NULL, bias, (real)reals[SCALAR_SCALE],
                   y + start, stop - first, inputs, n,
                   job->course.mode < MODE_GRADIENT ? &engine->ahead : NULL);
        else
            dense_forward(x, weights, bias, y + start, stop - first, inputs, n);
        break;
    }
    case OP_ACTIVATION:
        activation_forward(row[COLUMN_KIND], (real)reals[SCALAR_ALPHA], x + start, y + start, size);
        break;
    case OP_SOFTMAX:
        if (job->team.thread == 0)
            softmax_forward(x, value(engine, row[COLUMN_Y] + outputs), y, outputs, n);
        break;
    case OP_LOG_SOFTMAX:
        if (job->team.thread == 0)
            log_softmax_forward(x, value(engine, row[COLUMN_Y] + outputs), y, outputs, n);
        break;
    case OP_EMBEDDING:
        embedding_forward(row[COLUMN_FIRST], first, x, job->net.params + row[COLUMN_WEIGHTS],
                          y + row[COLUMN_PLACE] * n + start, inputs, n,
                          row[COLUMN_SIZE] / width_of(row), width_of(row), stop - first);
        break;
    case OP_COLUMNS:
        columns_forward(row[COLUMN_KIND], row[COLUMN_FIRST], row[COLUMN_COLUMNS], categories_of(row),
                        first, x, y + row[COLUMN_PLACE] * n + start, inputs, n, stop - first);
        break;
    case OP_GROUPED_DENSE: each_group(engine, row, GROUP_FORWARD, 0); break;
    case OP_RESCALE:
        rescale((real)reals[SCALAR_SCALE], (real)reals[SCALAR_OFFSET], x + start, y + start, size);
        break;
    case OP_TRANSPOSE:
        transpose_rows(x, y, outputs, n, first, stop);
        break;
    case OP_DROPOUT: noise_forward(engine, r, step, phase); break;
    case OP_ADD:
        add(x + start, value(engine, row[COLUMN_OTHER]) + start, y + start, size);
        break;
    case OP_BATCH_NORMALIZATION: normalization_forward(engine, r, phase); break;
    case OP_LAYER_NORMALIZATION:
    case OP_SCALE:
    case OP_MIXED_ACTIVATION:
    case OP_PRELU: vectors_forward(engine, r); break;
    }
}

/* Compute this thread's share of the gradient with respect to one row's input. */
static void backward_row(const struct engine *engine, int64_t r) {
    const Job *job = engine->job;
    const int64_t *row = ROW(r);
    const double *reals = REALS(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = engine->n;
    const real *x = value(engine, row[COLUMN_X]), *y = value(engine, row[COLUMN_Y]);
    const real *dy = delta(engine, row[COLUMN_Y]);
    real *dx = delta(engine, row[COLUMN_X]);
    int64_t first = first_of(engine, inputs), stop = stop_of(engine, inputs);
    int64_t start = first * n, size = (stop - first) * n;
    switch (row[COLUMN_OP]) {
    case OP_DENSE: /* dense_input_gradient, of some of the inputs */
        nn_set(job->net.params + row[COLUMN_WEIGHTS] + first, 1, inputs, dy, NULL, 1, dx + start,
               stop - first, outputs, n, NULL);
        break;
    case OP_ACTIVATION:
        activation_backward(row[COLUMN_KIND], (real)reals[SCALAR_ALPHA], x + start, y + start,
                            dy + start, dx + start, size);
        break;
    case OP_SOFTMAX:
        if (job->team.thread == 0)
            softmax_backward(y, dy, delta(engine, row[COLUMN_Y] + outputs), dx, outputs, n);
        break;
    case OP_LOG_SOFTMAX:
        if (job->team.thread == 0)
            log_softmax_backward(y, dy, delta(engine, row[COLUMN_Y] + outputs), dx, outputs, n);
        break;
    case OP_ACTIVITY:
        start += row[COLUMN_PLACE] * n;
        activity_gradient((real)reals[SCALAR_ALPHA] / (real)n, (real)reals[SCALAR_BETA] / (real)n,
                          y + start, dx + start, size);
        break;
    case OP_GROUPED_DENSE: each_group(engine, row, GROUP_BACKWARD, 0); break;
    case OP_RESCALE:
        rescale((real)reals[SCALAR_SCALE], 0, dy + start, dx + start, size);
        break;
    case OP_TRANSPOSE: /* dx is (n, features) */
        transpose_rows(dy, dx, n, inputs, first_of(engine, n), stop_of(engine, n));
        break;
    case OP_DROPOUT: {
        const real *mask = value(engine, row[COLUMN_Y] + outputs) + start;
        if (row[COLUMN_KIND] == NOISE_GAUSSIAN_NOISE)
            memcpy(dx + start, dy + start, (size_t)size * sizeof(real));
        else if (row[COLUMN_KIND] == NOISE_ALPHA_DROPOUT)
            alpha_dropout((real)reals[SCALAR_SCALE], 0, 0, dy + start, mask, dx + start, size);
        else
            multiply(dy + start, mask, dx + start, size);
        break;
    }
    case OP_FORK:
        add(dx + start, delta(engine, row[COLUMN_OTHER]) + start, dx + start, size);
        break;
    case OP_ADD:
        memcpy(dx + start, dy + start, (size_t)size * sizeof(real));
        break;
    case OP_BATCH_NORMALIZATION: normalization_backward(engine, r); break;
    case OP_LAYER_NORMALIZATION:
    case OP_SCALE:
    case OP_MIXED_ACTIVATION:
    case OP_PRELU: vectors_backward(engine, r); break;
    }
}

/* The weights of the samples, as a row that compares outputs with right answers reads them. */
INLINE const real *weights_for(const struct engine *engine, const int64_t *row) {
    return row[COLUMN_WEIGHTED] ? engine->job->batches.weights : NULL;
}

/* The batch's loss times its number of samples; leaves the loss's gradient in the deltas of the
   row's X. */
static double loss_row(const struct engine *engine, int64_t r) {
    const Batches *batches = &engine->job->batches;
    const int64_t *row = ROW(r);
    int64_t features = row[COLUMN_INPUTS], n = engine->n;
    const real *x = value(engine, row[COLUMN_X]);
    real *dx = delta(engine, row[COLUMN_X]), *scratch = value(engine, row[COLUMN_Y]);
    return loss(row[COLUMN_KIND], row[COLUMN_REDUCTION], x, engine->rows, batches->labels,
                batches->targets, weights_for(engine, row), REALS(r), scratch, dx, features, n);
}

/* The penalties on outputs, of the rows before one, summed over the batch's samples. */
static double activity(const struct engine *engine, int64_t stop) {
    double total = 0;
    for (int64_t r = 1; r < stop; r++)
        if (ROW(r)[COLUMN_OP] == OP_ACTIVITY)
            total += penalty(REALS(r)[SCALAR_ALPHA], REALS(r)[SCALAR_BETA],
                             value(engine, ROW(r)[COLUMN_Y]) + ROW(r)[COLUMN_PLACE] * engine->n,
                             ROW(r)[COLUMN_OUTPUTS] * engine->n);
    return total;
}

/* Add to the totals of a metric. */
static void metric_row(const struct engine *engine, int64_t r, double *totals) {
    const Batches *batches = &engine->job->batches;
    const int64_t *row = ROW(r);
    metric(row[COLUMN_KIND], value(engine, row[COLUMN_X]), engine->rows, batches->labels,
           batches->targets, weights_for(engine, row), REALS(r),
           row[COLUMN_LEVELS] ? engine->job->net.thresholds + row[COLUMN_THRESHOLDS] : NULL, totals,
           row[COLUMN_INPUTS], engine->n, row[COLUMN_LEVELS]);
}

/* Write the inputs of a DENSE row, that are (inputs, n), as (n, inputs) too, if it wants them. */
static void transpose_input(const struct engine *engine, const int64_t *row) {
    if (row[COLUMN_X_ROWS] < 0 || has_rows(row) || row[COLUMN_FROZEN]) return;
    transpose_rows(value(engine, row[COLUMN_X]), value(engine, row[COLUMN_X_ROWS]), engine->n,
                   row[COLUMN_INPUTS], first_of(engine, engine->n), stop_of(engine, engine->n));
    wait(engine);
}

#define TENSOR(t) (engine->job->net.tensors + (t)*TENSOR_COUNT)
#define FACTORS(t) (engine->job->net.factors + (t)*FACTOR_COUNT)

static int is_penalized(const struct engine *engine, int64_t t) {
    return FACTORS(t)[FACTOR_L1] != 0 || FACTORS(t)[FACTOR_L2] != 0;
}

/* Step along this thread's share of the gradients of the penalties on row r's tensors. */
static void penalty_updates(const struct engine *engine, int64_t r, real rate, int64_t step) {
    int any = 0;
    for (int64_t t = ROW(r)[COLUMN_FIRST_TENSOR]; t < ROW(r)[COLUMN_STOP_TENSOR]; t++) {
        if (!is_penalized(engine, t)) continue;
        int64_t size = TENSOR(t)[TENSOR_SIZE], first = first_of(engine, size);
        penalty_update((real)FACTORS(t)[FACTOR_L1], (real)FACTORS(t)[FACTOR_L2], rate, step, first,
                       engine->job->net.params + TENSOR(t)[TENSOR_START] + first,
                       stop_of(engine, size) - first);
        any = 1;
    }
    if (any) wait(engine);
}

/* Compute what several gradients of one row need. */
static void prepare_gradients(const struct engine *engine, int64_t r) {
    switch (ROW(r)[COLUMN_OP]) {
    case OP_DENSE: transpose_input(engine, ROW(r)); break;
    case OP_BATCH_NORMALIZATION: normalization_sums(engine, r); break;
    case OP_LAYER_NORMALIZATION:
    case OP_SCALE:
    case OP_MIXED_ACTIVATION:
    case OP_PRELU: vectors_sums(engine, r); break;
    }
}

/* Compute this thread's share of one DENSE row's part of the flat gradient. */
static void dense_gradient(struct engine *engine, int64_t r) {
    const int64_t *row = ROW(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = engine->n;
    int64_t first = first_of(engine, outputs), count = stop_of(engine, outputs) - first;
    const real *dy = delta(engine, row[COLUMN_Y]) + first * n;
    real *weights = engine->job->net.gradient + row[COLUMN_WEIGHTS] + first * inputs;
    real *bias = bias_of(row, engine->job->net.gradient);
    if (row[COLUMN_X_ROWS] < 0)
        dense_weight_gradient(value(engine, row[COLUMN_X]), dy, weights, count, inputs, n);
    else /* dense_weight_gradient_rows, and more at once */
        nn_set(dy, n, 1, value(engine, row[COLUMN_X_ROWS]), NULL, (real)REALS(r)[SCALAR_SCALE],
               weights, count, n, inputs, has_rows(row) ? &engine->ahead : NULL);
    dense_bias_gradient(dy, bias ? bias + first : NULL, count, n);
}

/* Take this thread's share of the step along one DENSE row's gradient, without storing it. */
static void dense_update(struct engine *engine, int64_t r, real rate) {
    const int64_t *row = ROW(r);
    int64_t inputs = row[COLUMN_INPUTS], outputs = row[COLUMN_OUTPUTS], n = engine->n;
    int64_t first = first_of(engine, outputs), count = stop_of(engine, outputs) - first;
    const real *dy = delta(engine, row[COLUMN_Y]) + first * n;
    real *weights = engine->job->net.params + row[COLUMN_WEIGHTS] + first * inputs;
    real *bias = bias_of(row, engine->job->net.params);
    if (row[COLUMN_X_ROWS] < 0)
        dense_weight_update(value(engine, row[COLUMN_X]), dy, -rate, weights, count, inputs, n);
    else /* dense_weight_update_rows, and more at once */
        nn_add(dy, n, 1, value(engine, row[COLUMN_X_ROWS]), -rate * (real)REALS(r)[SCALAR_SCALE],
               weights, count, n, inputs, has_rows(row) ? &engine->ahead : NULL);
    dense_bias_update(dy, -rate, bias ? bias + first : NULL, count, n);
}

static void normalization_gradient(const struct engine *engine, int64_t r) {
    struct normalization own = normalization_of(engine, r);
    real *gradient = engine->job->net.gradient;
    real *gamma = gamma_of(ROW(r), gradient), *beta = bias_of(ROW(r), gradient);
    size_t size = (size_t)own.count * sizeof(real);
    if (gamma) memcpy(gamma + own.first, own.dgamma, size);
    if (beta) memcpy(beta + own.first, own.dbeta, size);
}

static void normalization_update(const struct engine *engine, int64_t r, real rate) {
    struct normalization own = normalization_of(engine, r);
    real *params = engine->job->net.params;
    real *gamma = gamma_of(ROW(r), params), *beta = bias_of(ROW(r), params);
    const struct step step = {.rate = rate};
    if (gamma) descent_step(&step, gamma + own.first, own.dgamma, own.count);
    if (beta) descent_step(&step, beta + own.first, own.dbeta, own.count);
}

/* Compute this thread's share of one row's part of the flat gradient. */
static void weight_gradient_row(struct engine *engine, int64_t r) {
    switch (ROW(r)[COLUMN_OP]) {
    case OP_DENSE: dense_gradient(engine, r); break;
    case OP_EMBEDDING: embedding_weights(engine, ROW(r), 1, 1); break;
    case OP_GROUPED_DENSE: each_group(engine, ROW(r), GROUP_GRADIENT, 0); break;
    case OP_BATCH_NORMALIZATION:
    case OP_LAYER_NORMALIZATION:
    case OP_SCALE:
    case OP_MIXED_ACTIVATION:
    case OP_PRELU: normalization_gradient(engine, r); break;
    }
}

/* Take this thread's share of the step along one row's gradient, which need not be stored. */
static void weight_update_row(struct engine *engine, int64_t r, real rate) {
    switch (ROW(r)[COLUMN_OP]) {
    case OP_DENSE: dense_update(engine, r, rate); break;
    case OP_EMBEDDING: embedding_weights(engine, ROW(r), 0, -rate); break;
    case OP_GROUPED_DENSE: each_group(engine, ROW(r), GROUP_UPDATE, rate); break;
    case OP_BATCH_NORMALIZATION:
    case OP_LAYER_NORMALIZATION:
    case OP_SCALE:
    case OP_MIXED_ACTIVATION:
    case OP_PRELU: normalization_update(engine, r, rate); break;
    }
}

/* Record one row's values, just before its backward step; overwrites the deltas of its X. */
static void observe_row(const struct engine *engine, int64_t r, double *record) {
    const int64_t *row = ROW(r);
    int64_t n = engine->n;
    const real *x = value(engine, row[COLUMN_X]);
    const real *y = value(engine, row[COLUMN_Y]) + row[COLUMN_PLACE] * n;
    record_values(y, record, row[COLUMN_OUTPUTS] * n);
    if (row[COLUMN_OP] == OP_ACTIVATION)
        record_slopes(row[COLUMN_KIND], (real)REALS(r)[SCALAR_ALPHA], x, y, n, row[COLUMN_ROWS],
                      delta(engine, row[COLUMN_X]), record, row[COLUMN_INPUTS] * n);
}
