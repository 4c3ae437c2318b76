/* The loss after a small step of one parameter, for many parameters: numeric gradients.

   A parameter of a dense layer changes one unit's output, and what lies above it: the samples are
   gathered once, the layers below are left as they are, and of the layer itself one row of the
   product is computed anew. */

/* The row that a parameter belongs to. */
static int64_t owner_of(const struct trial *trial, int64_t index) {
    int64_t r = 0;
    for (;;) {
        const int64_t *row = trial->table + ++r * COLUMN_COUNT;
        int64_t start = row[COLUMN_WEIGHTS];
        if (row[COLUMN_OP] != OP_PENALTY && start <= index && index < start + row[COLUMN_SIZE])
            return r;
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

/* The penalties of row r's tensors on one parameter. */
static double penalties_on(const struct trial *trial, int64_t r, int64_t index) {
    double total = 0;
    for (;;) {
        const int64_t *row = trial->table + ++r * COLUMN_COUNT;
        const double *reals = trial->reals + r * SCALAR_COUNT;
        if (row[COLUMN_OP] != OP_PENALTY) return total;
        int64_t start = row[COLUMN_WEIGHTS];
        if (start <= index && index < start + row[COLUMN_SIZE])
            total += penalty(reals[SCALAR_L1], reals[SCALAR_L2], trial->params + index, 1);
    }
}

/* Compute one unit of the DENSE row r. */
static void unit_forward(const struct net *net, int64_t r, int64_t unit) {
    const int64_t *row = ROW(r);
    int64_t inputs = row[COLUMN_INPUTS], n = net->n;
    const real *x = value(net, row[COLUMN_X]), *bias = bias_of(row, net->job->params);
    const real *weights = net->job->params + row[COLUMN_WEIGHTS] + unit * inputs;
    real *y = value(net, row[COLUMN_Y]) + unit * n;
    if (bias) bias += unit;
    if (row[COLUMN_ROWS])
        dense_forward_rows(x, weights, bias, (real)REALS(r)[SCALAR_SCALE], y, 1, inputs, n);
    else
        dense_forward(x, weights, bias, y, 1, inputs, n);
}

/* The batch's loss with the parameters as they are, from row r up. */
static double loss_from(struct net *net, const struct trial *trial, int64_t r, int64_t unit,
                        uint8_t *crossed) {
    if (ROW(r)[COLUMN_OP] == OP_DENSE)
        unit_forward(net, r, unit);
    else
        forward_row(net, r, 0, PHASE_REPLAY);
    while (ROW(++r)[COLUMN_OP] < FIRST_LOSS) {
        const int64_t *row = ROW(r);
        if (row[COLUMN_OP] == OP_PENALTY) continue;
        forward_row(net, r, 0, PHASE_REPLAY);
        int64_t at = row[COLUMN_X] * net->capacity, size = row[COLUMN_INPUTS] * net->n;
        if (has_kink(row) && crosses_kink(trial->values + at, trial->moved + at, size)) {
            *crossed = 1;
            if (trial->keeps_branches)
                keep_to_branches(row[COLUMN_KIND], REALS(r)[SCALAR_ALPHA], trial->values + at,
                                 trial->moved + at, value(net, row[COLUMN_Y]), size);
        }
    }
    return loss_row(net, r);
}

/* Compute the batch's mean loss with one parameter at a time moved up and down. */
static void probe(const struct trial *trial) {
    struct job job = {
        .table = trial->table,
        .reals = trial->reals,
        .params = trial->params,
        .values = trial->moved,
        .deltas = trial->deltas,
        .labels = trial->labels,
        .targets = trial->targets,
        .threads = 1,
    };
    struct net net = {
        .job = &job,
        .capacity = trial->workspace_size / trial->table[COLUMN_X],
        .n = trial->n,
        .rows = trial->rows,
    };
    int64_t last_owner = -1;
    for (int64_t k = 0; k < trial->count; k++) {
        int64_t index = trial->indices[k], r = owner_of(trial, index);
        const int64_t *row = trial->table + r * COLUMN_COUNT;
        if (r != last_owner)
            memcpy(trial->moved, trial->values, (size_t)trial->workspace_size * sizeof(real));
        last_owner = r;
        int64_t inputs = row[COLUMN_INPUTS], products = inputs * row[COLUMN_OUTPUTS];
        int64_t local = index - row[COLUMN_WEIGHTS];
        int64_t unit = local < products ? local / inputs : local - products;
        real original = trial->params[index];
        trial->crossed[k] = 0;
        for (int side = 0; side < 2; side++) {
            double step = side == 0 ? trial->steps[k] : -trial->steps[k];
            trial->params[index] = (real)(original + step);
            double loss = loss_from(&net, trial, r, unit, trial->crossed + k);
            trial->losses[2 * k + side] = loss / (double)net.n + penalties_on(trial, r, index);
        }
        trial->params[index] = original;
        int64_t start = row[COLUMN_Y] * net.capacity, size = row[COLUMN_OUTPUTS] * net.n;
        if (row[COLUMN_OP] == OP_DENSE) {
            start += unit * net.n;
            size = net.n;
        }
        memcpy(trial->moved + start, trial->values + start, (size_t)size * sizeof(real));
    }
}
