/* What the binding calls: a table of functions for each dtype, made once for each instruction set.

   All arrays are contiguous and row-major unless a stride is given; sizes are counted in
   elements.  `rows` names a batch's samples in the data set, which is whole in `data`, `labels`
   or `targets`.  An array that does not apply (no bias, no velocity, no labels) is NULL.

   This file is read twice, by kernels_both.h: with REAL float and with REAL double. */

/* A net with its memory, and the batches to run it on; fastmlp/engine.py explains all of this. */
struct TYPED(job) {
    int64_t mode;
    const int64_t *table;
    int64_t table_rows;
    const double *reals;
    REAL *params;
    int64_t params_size;
    REAL *gradient;
    REAL *velocity; /* NULL: plain gradient descent */
    const double *hyper;
    REAL *values;
    REAL *deltas;
    int64_t workspace_size;
    const uint8_t *samples;
    int64_t sample_bytes;
    const int64_t *labels; /* NULL: there are targets, or neither */
    const REAL *targets;
    const int64_t *order;
    int64_t order_size;
    int64_t batch_size;
    int64_t first, last;
    int64_t first_step;
    int64_t wants_accuracy;
    double *totals;
    REAL *outputs;     /* (samples, features) */
    double *telemetry; /* (records, table_rows, TELEMETRY_FIELDS) */
    int64_t telemetry_every;
    int64_t thread, threads;
    int64_t *barrier;
};

/* What a numeric gradient asks for; kernels/compiled/probe.py explains all of this. */
struct TYPED(trial) {
    const int64_t *table;
    const double *reals;
    REAL *params;
    const REAL *values;
    REAL *moved; /* a workspace, changed */
    REAL *deltas;
    int64_t workspace_size;
    const int64_t *labels;
    const REAL *targets;
    const int64_t *rows;
    int64_t n;
    const int64_t *indices;
    const double *steps;
    int64_t count;
    int64_t keeps_branches;
    double *losses;   /* (count, 2) */
    uint8_t *crossed; /* (count,) */
};

struct TYPED(kernels) {
    int64_t (*run)(const struct TYPED(job) *job);
    void (*probe)(const struct TYPED(trial) *trial);

    void (*matmul_nn)(const REAL *a, int64_t a_row, int64_t a_column, const REAL *b, REAL scale,
                      REAL *out, int64_t m, int64_t k, int64_t n);
    void (*matmul_nt)(const REAL *a, const REAL *b, REAL scale, REAL *out, int64_t m, int64_t k,
                      int64_t n);

    void (*dense_forward)(const REAL *x, const REAL *weights, const REAL *bias, REAL *y,
                          int64_t outputs, int64_t inputs, int64_t n);
    void (*dense_forward_rows)(const REAL *x, const REAL *weights, const REAL *bias, REAL scale,
                               REAL *y, int64_t outputs, int64_t inputs, int64_t n);
    void (*dense_input_gradient)(const REAL *weights, const REAL *dy, REAL *dx, int64_t outputs,
                                 int64_t inputs, int64_t n);
    void (*dense_weight_update)(const REAL *x, const REAL *dy, REAL scale, REAL *weights,
                                int64_t outputs, int64_t inputs, int64_t n);
    void (*dense_weight_update_rows)(const REAL *x, const REAL *dy, REAL scale, REAL *weights,
                                     int64_t outputs, int64_t inputs, int64_t n);
    void (*dense_weight_gradient)(const REAL *x, const REAL *dy, REAL *dweights, int64_t outputs,
                                  int64_t inputs, int64_t n);
    void (*dense_weight_gradient_rows)(const REAL *x, const REAL *dy, REAL scale, REAL *dweights,
                                       int64_t outputs, int64_t inputs, int64_t n);
    void (*dense_bias_update)(const REAL *dy, REAL scale, REAL *bias, int64_t outputs, int64_t n);
    void (*dense_bias_gradient)(const REAL *dy, REAL *dbias, int64_t outputs, int64_t n);

    void (*activation_forward)(int64_t kind, REAL alpha, const REAL *x, REAL *y, int64_t size);
    void (*activation_backward)(int64_t kind, REAL alpha, const REAL *x, const REAL *y,
                                const REAL *dy, REAL *dx, int64_t size);
    void (*softmax_forward)(const REAL *x, REAL *scratch, REAL *y, int64_t features, int64_t n);
    void (*softmax_backward)(const REAL *y, const REAL *dy, REAL *scratch, REAL *dx,
                             int64_t features, int64_t n);

    double (*softmax_crossentropy_labels)(const REAL *logits, const int64_t *rows,
                                          const int64_t *labels, REAL *scratch, REAL *dlogits,
                                          int64_t features, int64_t n);
    double (*softmax_crossentropy_targets)(const REAL *logits, const int64_t *rows,
                                           const REAL *targets, REAL *scratch, REAL *dlogits,
                                           int64_t features, int64_t n);
    double (*mean_squared_error)(const REAL *outputs, const int64_t *rows, const REAL *targets,
                                 REAL *doutputs, int64_t features, int64_t n);
    int64_t (*count_correct_labels)(const REAL *outputs, const int64_t *rows,
                                    const int64_t *labels, int64_t features, int64_t n);
    int64_t (*count_correct_targets)(const REAL *outputs, const int64_t *rows,
                                     const REAL *targets, int64_t features, int64_t n);

    void (*dropout_mask)(int64_t key, int64_t step, double rate, REAL *mask, int64_t size);
    void (*multiply)(const REAL *x, const REAL *mask, REAL *y, int64_t size);
    void (*rescale)(REAL scale, REAL offset, const REAL *x, REAL *y, int64_t size);
    /* x is (n, features), y (features, n). */
    void (*transpose)(const REAL *x, REAL *y, int64_t features, int64_t n);
    void (*gather_bytes)(const uint8_t *data, const int64_t *rows, REAL scale, REAL offset,
                         REAL *out, int64_t features, int64_t n);
    void (*gather_reals)(const REAL *data, const int64_t *rows, REAL scale, REAL offset, REAL *out,
                         int64_t features, int64_t n);

    double (*penalty)(double l1, double l2, const REAL *weights, int64_t size);
    void (*penalty_gradient)(REAL l1, REAL l2, int64_t step, int64_t first, const REAL *weights,
                             REAL *gradient, int64_t size);
    void (*penalty_update)(REAL l1, REAL l2, REAL rate, int64_t step, int64_t first, REAL *weights,
                           int64_t size);
    void (*sgd_step)(REAL *params, const REAL *gradient, REAL *velocity, const double *hyper,
                     int64_t size);
    void (*sgd_step_evenly)(int64_t step, int64_t first, REAL *params, const REAL *gradient,
                            REAL *velocity, const double *hyper, int64_t size);

    void (*record_values)(const REAL *y, double *record, int64_t size);
    void (*record_slopes)(int64_t kind, REAL alpha, const REAL *x, const REAL *y, int64_t n,
                          int64_t rows, REAL *scratch, double *record, int64_t size);
    void (*record_step)(const REAL *params, const REAL *gradient, const REAL *velocity,
                        const double *hyper, double *record, int64_t size);
};
