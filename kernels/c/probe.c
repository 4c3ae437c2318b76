/* The loss after a small step of one parameter, for many parameters: numeric gradients.

   A parameter of a dense layer changes one unit's output, and what lies above it: the samples are
   gathered once, the layers below are left as they are, and of the layer itself one row of the
   product is computed anew. */

/* The row that a parameter belongs to. */
static int64_t owner_of(const Net *net, int64_t index) {
    for (int64_t r = 1;; r++) {
        const int64_t *row = net->table + r * COLUMN_COUNT;
        int64_t start = row[COLUMN_WEIGHTS];
        if (start <= index && index < start + row[COLUMN_SIZE]) return r;
    }
}

static int has_kink(const int64_t *row) {
    int64_t kind = row[COLUMN_KIND];
    return row[COLUMN_OP] == OP_ACTIVATION && ACTIVATION_RELU <= kind && kind <= ACTIVATION_SELU;
}

/* Whether an input of an activation with a kink at 0 is on its other side after the step. */
static int crosses_kink(const real *before, const real *after, int64_t size) {
    int64_t crossed = 0;
    for (int64_t i = 0; i < size; i++) crossed += (before[i] > 0) != (after[i] > 0);
    return crossed > 0;
}

/* Where an activation's input crossed its kink, go on with the formula of its old side. */
static void keep_to_branches(int64_t kind, double alpha, const real *before, const real *x, real *y,
                             int64_t size) {
    double scale = kind == ACTIVATION_SELU ? SELU_SCALE : 1;
    for (int64_t i = 0; i < size; i++) {
        if ((before[i] > 0) == (x[i] > 0)) continue;
        if (before[i] > 0)
            y[i] = (real)(scale * x[i]);
        else if (kind == ACTIVATION_RELU)
            y[i] = 0;
        else if (kind == ACTIVATION_LEAKY_RELU)
            y[i] = (real)(alpha * x[i]);
        else if (kind == ACTIVATION_ELU)
            y[i] = (real)(alpha * expm1(x[i]));
        else
            y[i] = (real)(scale * SELU_ALPHA * expm1(x[i]));
    }
}

/* The penalties on one parameter. */
static double penalties_on(const Net *net, int64_t index) {
    for (int64_t t = 0; t < net->tensors_shape[0]; t++) {
        const int64_t *tensor = net->tensors + t * TENSOR_COUNT;
        const double *factors = net->factors + t * FACTOR_COUNT;
        int64_t start = tensor[TENSOR_START];
        if (start <= index && index < start + tensor[TENSOR_SIZE])
            return penalty(factors[FACTOR_L1], factors[FACTOR_L2], net->params + index, 1);
    }
    return 0;
}

/* Compute one unit of the DENSE row r. */
static void unit_forward(const struct engine *engine, int64_t r, int64_t unit) {
    const int64_t *row = ROW(r);
    const Net *net = &engine->job->net;
    int64_t inputs = row[COLUMN_INPUTS], n = engine->n;
    const real *x = value(engine, row[COLUMN_X]), *bias = bias_of(row, net->params);
    const real *weights = net->params + row[COLUMN_WEIGHTS] + unit * inputs;
    real *y = value(engine, row[COLUMN_Y]) + unit * n;
    if (bias) bias += unit;
    if (row[COLUMN_ROWS])
        dense_forward_rows(x, weights, bias, (real)REALS(r)[SCALAR_SCALE], y, 1, inputs, n);
    else
        dense_forward(x, weights, bias, y, 1, inputs, n);
}

/* The batch's loss with the parameters as they are, from row r up; `values` are those of before. */
static double loss_from(struct engine *engine, const Trial *trial, const real *values, int64_t r,
                        int64_t unit, uint8_t *crossed) {
    if (ROW(r)[COLUMN_OP] == OP_DENSE)
        unit_forward(engine, r, unit);
    else
        forward_row(engine, r, 0, PHASE_REPLAY);
    while (ROW(++r)[COLUMN_OP] < FIRST_LOSS) {
        const int64_t *row = ROW(r);
        forward_row(engine, r, 0, PHASE_REPLAY);
        int64_t at = row[COLUMN_X] * engine->capacity, size = row[COLUMN_INPUTS] * engine->n;
        if (has_kink(row) && crosses_kink(values + at, trial->moved + at, size)) {
            *crossed = 1;
            if (trial->keeps_branches)
                keep_to_branches(row[COLUMN_KIND], REALS(r)[SCALAR_ALPHA], values + at,
                                 trial->moved + at, value(engine, row[COLUMN_Y]), size);
        }
    }
    return loss_row(engine, r) + activity(engine, r);
}

/* Compute the batch's mean loss with one parameter at a time moved up and down. */
static void probe(const ProbeJob *asked) {
    const Net *net = &asked->net;
    const Trial *trial = &asked->trial;
    const real *values = asked->memory.values;
    int64_t workspace_size = asked->memory.values_shape[0];
    Job job = {.net = *net, .memory = asked->memory, .batches = asked->batches};
    job.memory.values = trial->moved;
    job.team.threads = 1;
    struct engine engine = {
        .job = &job,
        .capacity = workspace_size / net->table[COLUMN_X],
        .n = asked->batches.order_shape[0],
        .rows = asked->batches.order,
    };
    int64_t last_owner = -1;
    for (int64_t k = 0; k < trial->indices_shape[0]; k++) {
        int64_t index = trial->indices[k], r = owner_of(net, index);
        const int64_t *row = net->table + r * COLUMN_COUNT;
        if (r != last_owner)
            memcpy(trial->moved, values, (size_t)workspace_size * sizeof(real));
        last_owner = r;
        int64_t inputs = row[COLUMN_INPUTS], products = inputs * row[COLUMN_OUTPUTS];
        int64_t local = index - row[COLUMN_WEIGHTS];
        int64_t unit = local < products ? local / inputs : local - products;
        real original = net->params[index];
        trial->crossed[k] = 0;
        for (int side = 0; side < 2; side++) {
            double step = side == 0 ? trial->steps[k] : -trial->steps[k];
            net->params[index] = (real)(original + step);
            double loss = loss_from(&engine, trial, values, r, unit, trial->crossed + k);
            trial->losses[2 * k + side] = loss / (double)engine.n + penalties_on(net, index);
        }
        net->params[index] = original;
        int64_t start = row[COLUMN_Y] * engine.capacity + row[COLUMN_PLACE] * engine.n;
        int64_t size = row[COLUMN_OUTPUTS] * engine.n;
        if (row[COLUMN_OP] == OP_DENSE) {
            start += unit * engine.n;
            size = engine.n;
        }
        memcpy(trial->moved + start, values + start, (size_t)size * sizeof(real));
    }
}
