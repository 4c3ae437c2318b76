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

/* How many kinks of an activation lie below x: which piece of it x is on.  At a kink, the piece
   whose slope backpropagation takes. */
static int piece_of(int64_t kind, double alpha, double x) {
    switch (kind) {
    case ACTIVATION_RELU:
    case ACTIVATION_LEAKY_RELU:
    case ACTIVATION_ELU:
    case ACTIVATION_SELU:
    case ACTIVATION_JUMP: return x > 0;
    case ACTIVATION_HARD_SIGMOID:
    case ACTIVATION_HARD_SILU: return (x > -3) + (x >= 3);
    case ACTIVATION_HARD_TANH:
    case ACTIVATION_SPARSE_SIGMOID: return (x > -1) + (x >= 1);
    case ACTIVATION_HARD_SHRINK:
    case ACTIVATION_SOFT_SHRINK: return (x >= -alpha) + (x > alpha);
    case ACTIVATION_CLIPPED_RELU: return (x > 0) + (x >= alpha);
    case ACTIVATION_THRESHOLD: return x > alpha;
    case ACTIVATION_MINIMUM: return x >= alpha;
    default: return 0;
    }
}

/* The formula of a piece, also for x beyond it. */
static double on_piece(int64_t kind, double alpha, int piece, double x) {
    switch (kind) {
    case ACTIVATION_RELU: return piece ? x : 0;
    case ACTIVATION_LEAKY_RELU: return piece ? x : alpha * x;
    case ACTIVATION_ELU: return piece ? x : alpha * expm1(x);
    case ACTIVATION_SELU: return SELU_SCALE * (piece ? x : SELU_ALPHA * expm1(x));
    case ACTIVATION_HARD_SIGMOID: return piece == 1 ? x / 6 + 0.5 : piece / 2;
    case ACTIVATION_HARD_SILU: return piece == 1 ? x * (x / 6 + 0.5) : x * (piece / 2);
    case ACTIVATION_HARD_TANH: return piece == 1 ? x : piece - 1;
    case ACTIVATION_SPARSE_SIGMOID: return piece == 1 ? (x + 1) / 2 : piece / 2;
    case ACTIVATION_HARD_SHRINK: return piece == 1 ? 0 : x;
    case ACTIVATION_SOFT_SHRINK: return piece == 1 ? 0 : x - alpha * (piece - 1);
    case ACTIVATION_CLIPPED_RELU: return piece == 1 ? x : alpha * (piece / 2);
    case ACTIVATION_THRESHOLD: return piece ? x : 0;
    case ACTIVATION_MINIMUM: return piece ? alpha : x;
    default: return piece ? x + alpha : x; /* ACTIVATION_JUMP */
    }
}

/* Whether a row is an activation, or has one. */
static int activates(const int64_t *row) {
    return row[COLUMN_OP] == OP_ACTIVATION || row[COLUMN_OP] == OP_PRELU ||
           row[COLUMN_OP] == OP_MIXED_ACTIVATION;
}

/* Whether a step took an input of an activation across a kink: from `before` to `x`.  If it `keeps`
   them to their pieces, such inputs go on with the formula of the old one.  `weights` are the
   slopes of a PRELU, or by how much an activation is mixed. */
static int crosses_kink(const int64_t *row, double alpha, const real *weights, const real *before,
                        const real *x, real *y, int64_t n, int keeps) {
    int64_t kind = row[COLUMN_OP] == OP_PRELU ? ACTIVATION_LEAKY_RELU : row[COLUMN_KIND];
    int crosses = 0;
    for (int64_t i = 0; i < row[COLUMN_INPUTS] * n; i++) {
        if (row[COLUMN_OP] == OP_PRELU) alpha = weights[i / n];
        int piece = piece_of(kind, alpha, before[i]);
        if (piece == piece_of(kind, alpha, x[i])) continue;
        crosses = 1;
        if (!keeps) continue;
        double kept = on_piece(kind, alpha, piece, x[i]);
        if (row[COLUMN_OP] == OP_MIXED_ACTIVATION) kept = x[i] + weights[i / n] * (x[i] - kept);
        y[i] = (real)kept;
    }
    return crosses;
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
        if (!activates(row)) continue;
        int64_t at = row[COLUMN_X] * engine->capacity;
        const real *weights = engine->job->net.params + row[COLUMN_WEIGHTS];
        *crossed |= crosses_kink(row, REALS(r)[SCALAR_ALPHA], weights, values + at,
                                 trial->moved + at, value(engine, row[COLUMN_Y]), engine->n,
                                 trial->keeps_branches != 0);
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
