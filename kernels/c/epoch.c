/* The loop over the batches of an epoch, in one call, and the stages of a batch.

   When several threads share a net, each runs this whole loop, on its share of every layer: of the
   rows of the output, of those of dx, and of those of W.  Nobody sums what another has computed, so
   the bits do not depend on the number of threads.  They wait for each other between two stages
   when the second reads what the first has written, or writes what it has read. */

/* The last row that compares outputs with right answers: the loss, or a metric. */
static int64_t last_to_judge(const struct engine *engine, int64_t loss_index) {
    int64_t last = loss_index;
    for (int64_t r = loss_index + 1; r < engine->job->net.table_shape[0]; r++)
        if (ROW(r)[COLUMN_OP] >= FIRST_LOSS) last = r;
    return last;
}

/* Compute the loss, which is returned, and add the metrics to their totals. */
static double judge(const struct engine *engine, int64_t loss_index, int64_t last_judge) {
    const Job *job = engine->job;
    double *total = job->course.totals + TOTAL_COUNT;
    /* The loss comes last, for a metric that is a loss sets a gradient, too. */
    for (int64_t r = loss_index + 1; r <= last_judge; r++) {
        int64_t op = ROW(r)[COLUMN_OP];
        if (op == OP_METRIC)
            metric_row(engine, r, total);
        else if (op == OP_LOSS_VALUE)
            *total += loss_row(engine, r);
        total += ROW(r)[COLUMN_TOTALS];
    }
    return loss_row(engine, loss_index);
}

static int is_observed(const struct engine *engine, int64_t batch) {
    int64_t every = engine->job->course.telemetry_every;
    return every > 0 && batch % every == 0;
}

static double *record_of(const struct engine *engine, int64_t batch, int64_t r) {
    const Job *job = engine->job;
    int64_t record = batch / job->course.telemetry_every;
    return job->course.telemetry + (record * job->net.table_shape[0] + r) * TELEMETRY_COUNT;
}

/* Whether a call computes the last row's outputs, and no loss. */
static int predicts(const Job *job) {
    return job->course.mode == MODE_PREDICT || job->course.mode == MODE_SAMPLE;
}

/* The stages of a batch. */

/* Take up a batch: its samples, and which come after them. */
static void gather_batch(struct engine *engine, int64_t batch) {
    const Job *job = engine->job;
    const Batches *batches = &job->batches;
    int64_t start = batch * batches->size, stop = start + batches->size;
    engine->n = smaller(batches->size, batches->order_shape[0] - start);
    engine->rows = batches->order + start;
    engine->bytes.rows = engine->rows;
    if (!engine->bytes.data) gather(engine);
    int64_t next = smaller(batches->size, batches->order_shape[0] - stop);
    engine->ahead = (struct ahead){.data = batches->samples, .bytes = batches->samples_shape[1]};
    if (next > 0) {
        engine->ahead.rows = batches->order + stop + first_of(engine, next);
        engine->ahead.n = stop_of(engine, next) - first_of(engine, next);
    }
    if (!predicts(job))
        prefetch_labels(batches->labels, engine->rows, engine->n);
    wait(engine);
}

/* Run the rows before `stop` forward. */
static void forward(struct engine *engine, int64_t stop, int64_t step) {
    int64_t phase = engine->job->course.mode < MODE_GRADIENT ? PHASE_PREDICT : PHASE_LEARN;
    for (int64_t r = 1; r < stop; r++) {
        /* A softmax that the loss has built in may follow it, for predictions, and for metrics. */
        if (ROW(r)[COLUMN_OP] >= FIRST_LOSS) continue;
        forward_row(engine, r, step, phase);
        wait(engine);
    }
}

/* Write the last row's output where predictions are wanted. */
static void write_outputs(const struct engine *engine) {
    const Job *job = engine->job;
    int64_t r = job->net.table_shape[0] - 1, n = engine->n;
    while (ROW(r)[COLUMN_OP] >= FIRST_LOSS) r--;
    int64_t features = ROW(r)[COLUMN_OUTPUTS], start = engine->rows - job->batches.order;
    transpose_rows(value(engine, ROW(r)[COLUMN_Y]), job->course.outputs + start * features, n,
                   features, first_of(engine, n), stop_of(engine, n));
    wait(engine);
}

/* Add to the totals, and leave the loss's gradient; returns 0 if the batch is not to be learned
   from, as its loss is not finite. */
static int measure_loss(const struct engine *engine, int64_t loss_index, int64_t last_judge) {
    const Job *job = engine->job;
    double *totals = job->course.totals;
    if (job->team.thread == 0) {
        double of_loss = judge(engine, loss_index, last_judge), penalties = 0;
        for (int64_t t = 0; t < job->net.tensors_shape[0]; t++)
            if (is_penalized(engine, t))
                penalties += penalty(FACTORS(t)[FACTOR_L1], FACTORS(t)[FACTOR_L2],
                                     job->net.params + TENSOR(t)[TENSOR_START],
                                     TENSOR(t)[TENSOR_SIZE]);
        penalties += activity(engine, loss_index) / (double)engine->n;
        totals[TOTAL_LOSS] += of_loss;
        totals[TOTAL_PENALTY] += penalties * (double)engine->n;
        totals[TOTAL_SAMPLES] += (double)engine->n;
        const struct answers batch = {
            .rows = engine->rows, .weights = job->batches.weights, .n = engine->n};
        totals[TOTAL_WEIGHTS] += weight_sum(&batch);
        job->team.barrier[BARRIER_STOP] =
            job->course.mode != MODE_EVALUATE && !isfinite(of_loss + penalties);
    }
    wait(engine);
    return !job->team.barrier[BARRIER_STOP];
}

/* From the loss's gradient down to the first layer's weights.  If `fused`, each row takes its step
   as soon as its part of the gradient is known, and stores that only to be recorded. */
static void backward(struct engine *engine, int64_t loss_index, int64_t batch, int fused) {
    const Job *job = engine->job;
    real rate = fused ? (real)job->course.rates[batch - job->batches.first] : 0;
    int observed = is_observed(engine, batch);
    for (int64_t r = loss_index - 1; r > 0; r--) {
        const int64_t *row = ROW(r);
        prepare_gradients(engine, r);
        if (learns(row) && (observed || !fused)) weight_gradient_row(engine, r);
        if (observed) {
            wait(engine);
            if (job->team.thread == 0) observe_row(engine, r, record_of(engine, batch, r));
            wait(engine);
        }
        if (row[COLUMN_INPUT_GRADIENT]) {
            backward_row(engine, r);
            wait(engine);
        }
        if (learns(row) && fused) {
            penalty_updates(engine, r, rate, job->course.first_step + batch);
            weight_update_row(engine, r, rate);
        }
    }
    wait(engine);
}

/* Add this thread's share of the penalties' gradients, which `weights` have. */
static void add_penalties(const struct engine *engine, const real *weights, int64_t step) {
    const Net *net = &engine->job->net;
    int any = 0;
    for (int64_t t = 0; t < net->tensors_shape[0]; t++) {
        if (!is_penalized(engine, t)) continue;
        int64_t size = TENSOR(t)[TENSOR_SIZE], first = first_of(engine, size);
        int64_t start = TENSOR(t)[TENSOR_START] + first;
        penalty_gradient((real)FACTORS(t)[FACTOR_L1], (real)FACTORS(t)[FACTOR_L2], step, first,
                         weights + start, net->gradient + start, stop_of(engine, size) - first);
        any = 1;
    }
    if (any) wait(engine);
}

/* Clip the gradient as the optimizer's numbers say.  Each tensor's squares are added by one thread,
   or by every thread, in one order: so the bits do not depend on how many there are. */
static void clip_gradient(const struct engine *engine) {
    const Net *net = &engine->job->net;
    const double *numbers = net->numbers;
    int64_t size = net->params_shape[0], first = first_of(engine, size);
    real *own = net->gradient + first; /* take_step's share, too: it need not wait for this */
    int64_t count = stop_of(engine, size) - first, tensors = net->tensors_shape[0];
    if (numbers[NUMBER_CLIPVALUE] > 0) clip_values((real)numbers[NUMBER_CLIPVALUE], own, count);
    if (numbers[NUMBER_CLIPNORM] > 0) {
        for (int64_t t = engine->job->team.thread; t < tensors; t += engine->job->team.threads) {
            if (FACTORS(t)[FACTOR_RATE] == 0) continue;
            real *tensor = net->gradient + TENSOR(t)[TENSOR_START];
            double sum = square_sum(tensor, TENSOR(t)[TENSOR_SIZE]);
            real scale = (real)clipping_scale(sum, numbers[NUMBER_CLIPNORM]);
            rescale(scale, 0, tensor, tensor, TENSOR(t)[TENSOR_SIZE]);
        }
        wait(engine);
    }
    if (numbers[NUMBER_GLOBAL_CLIPNORM] > 0) {
        double sum = 0;
        for (int64_t t = 0; t < tensors; t++)
            if (FACTORS(t)[FACTOR_RATE] != 0)
                sum += square_sum(net->gradient + TENSOR(t)[TENSOR_START],
                                  TENSOR(t)[TENSOR_SIZE]);
        wait(engine);
        rescale((real)clipping_scale(sum, numbers[NUMBER_GLOBAL_CLIPNORM]), 0, own, own, count);
    }
}

/* The first tensor after t whose step has other factors, or none. */
static int64_t next_unlike(const struct engine *engine, int64_t t) {
    const double *factors = FACTORS(t);
    int64_t next = t + 1;
    while (next < engine->job->net.tensors_shape[0] &&
           FACTORS(next)[FACTOR_RATE] == factors[FACTOR_RATE] &&
           FACTORS(next)[FACTOR_DECAY] == factors[FACTOR_DECAY])
        next++;
    return next;
}

/* Take this thread's share of a step along the whole gradient: of all parameters, whether those of
   tensors that are stepped alike, which one call of the kernel takes, begin or end in it. */
static void take_step(const struct engine *engine, int64_t batch) {
    const Job *job = engine->job;
    const Net *net = &job->net;
    int64_t size = net->params_shape[0], tensors = net->tensors_shape[0], any = 0;
    int64_t moments = size ? net->moments_shape[0] / size : 0;
    double rate = job->course.rates[batch - job->batches.first];
    for (int64_t t = 0; t < tensors; t++) any |= is_penalized(engine, t);
    for (int64_t t = 0, next; t < tensors; t = next) {
        next = next_unlike(engine, t);
        int64_t end = TENSOR(next - 1)[TENSOR_START] + TENSOR(next - 1)[TENSOR_SIZE];
        int64_t first = -smaller(-TENSOR(t)[TENSOR_START], -first_of(engine, size));
        int64_t stop = smaller(end, stop_of(engine, size));
        if (FACTORS(t)[FACTOR_RATE] == 0 || first >= stop) continue;
        optimizer_step(net->rule, rate * FACTORS(t)[FACTOR_RATE],
                       net->numbers[NUMBER_WEIGHT_DECAY] * FACTORS(t)[FACTOR_DECAY],
                       job->course.first_step + batch, any, first, net->params + first,
                       net->gradient + first, moments > 0 ? net->moments + first : NULL,
                       moments > 1 ? net->moments + size + first : NULL,
                       moments > 2 ? net->moments + 2 * size + first : NULL, net->numbers,
                       stop - first);
    }
    wait(engine);
}

/* After a step, let the running mean of the parameters follow them; in some steps, let them become
   that mean. */
static void follow_parameters(const struct engine *engine, int64_t step) {
    const Net *net = &engine->job->net;
    if (net->numbers[NUMBER_USE_EMA] == 0) return;
    int64_t size = net->params_shape[0], first = first_of(engine, size);
    int64_t count = stop_of(engine, size) - first;
    real *average = net->moments + net->moments_shape[0] - size + first;
    average_step(net->numbers[NUMBER_EMA_MOMENTUM], net->params + first, average, count);
    int64_t every = (int64_t)net->numbers[NUMBER_EMA_OVERWRITE_FREQUENCY];
    int64_t taken = step + 1 - (int64_t)net->numbers[NUMBER_STEPS_BEFORE];
    if (every > 0 && taken % every == 0)
        memcpy(net->params + first, average, (size_t)count * sizeof(real));
    wait(engine);
}

/* After a step, bring this thread's share of each tensor to its constraint. */
static void constrain_parameters(const struct engine *engine) {
    const Net *net = &engine->job->net;
    int any = 0;
    for (int64_t t = 0; t < net->tensors_shape[0]; t++) {
        const int64_t *tensor = TENSOR(t);
        if (tensor[TENSOR_CONSTRAINT] == CONSTRAINT_NONE || FACTORS(t)[FACTOR_RATE] == 0) continue;
        int64_t size = tensor[TENSOR_SIZE], group = tensor[TENSOR_GROUP], groups = size / group;
        constrain(tensor[TENSOR_CONSTRAINT], FACTORS(t)[FACTOR_LOWEST], FACTORS(t)[FACTOR_HIGHEST],
                  FACTORS(t)[FACTOR_SHARE], group, tensor[TENSOR_STRIDE], first_of(engine, groups),
                  stop_of(engine, groups), net->params + tensor[TENSOR_START], size);
        any = 1;
    }
    if (any) wait(engine);
}

/* Keep this thread's share of the parameters as they are before a step that is recorded. */
static void keep_params(const struct engine *engine) {
    const Net *net = &engine->job->net;
    int64_t first = first_of(engine, net->params_shape[0]);
    int64_t count = stop_of(engine, net->params_shape[0]) - first;
    memcpy(engine->job->course.before + first, net->params + first, (size_t)count * sizeof(real));
    wait(engine);
}

/* Record the step that was taken, for each row with weights. */
static void observe_step(const struct engine *engine, int64_t loss_index, int64_t batch) {
    const Job *job = engine->job;
    for (int64_t r = 1; job->team.thread == 0 && r < loss_index; r++) {
        if (!learns(ROW(r))) continue;
        int64_t start = ROW(r)[COLUMN_WEIGHTS];
        record_step(job->course.before + start, job->net.params + start, job->net.gradient + start,
                    record_of(engine, batch, r), ROW(r)[COLUMN_SIZE]);
    }
    wait(engine);
}

/* Run the batches `first` to `stop` of an epoch.  Returns `stop`, or the index of the first batch
   whose loss is not finite; that batch is not learned from.  Evaluation goes on to the end.
   Returns -1, with nothing changed, if not all threads came. */
static int64_t run(const Job *job) {
    struct engine the_engine = {.job = job}, *engine = &the_engine;
    int64_t loss_index = 1, mode = job->course.mode;
    int fused = mode == MODE_TRAIN && job->net.rule == RULE_DESCENT;
    while (loss_index < job->net.table_shape[0] && ROW(loss_index)[COLUMN_OP] < FIRST_LOSS)
        loss_index++;
    int64_t last_judge = mode == MODE_GRADIENT ? loss_index : last_to_judge(engine, loss_index);
    int64_t stop = predicts(job) ? job->net.table_shape[0] : last_judge;
    engine->capacity = job->memory.values_shape[0] / ROW(0)[COLUMN_X];
    engine->bytes.data = reads_bytes(engine) ? job->batches.samples : NULL;
    if (!wait(engine)) return -1;

    for (int64_t batch = job->batches.first; batch < job->batches.stop; batch++) {
        int64_t now = job->course.first_step + batch;
        gather_batch(engine, batch);
        forward(engine, stop, now);
        if (predicts(job)) {
            write_outputs(engine);
            continue;
        }
        if (!measure_loss(engine, loss_index, last_judge)) return batch;
        if (mode == MODE_EVALUATE) continue;
        int recorded = mode == MODE_TRAIN && is_observed(engine, batch);
        if (recorded) keep_params(engine);
        backward(engine, loss_index, batch, fused);
        if (!fused) add_penalties(engine, job->net.params, now);
        if (mode == MODE_TRAIN && !fused) {
            clip_gradient(engine);
            take_step(engine, batch);
        }
        if (mode == MODE_TRAIN) {
            follow_parameters(engine, now);
            constrain_parameters(engine);
        }
        if (recorded) {
            if (fused) add_penalties(engine, job->course.before, now);
            observe_step(engine, loss_index, batch);
        }
    }
    return job->batches.stop;
}
