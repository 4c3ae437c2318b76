"""A dense layer, ``y = W x + b``, and its gradients.

Values are ``(features, n)``; a first layer reads the samples as they lie, ``(n, features)``,
through the kernels whose names end in ``_rows``.  Their ``scale`` is that of the samples: sums are
scaled instead of all that they consist of.

The gradient of any layer's weights comes in both forms.  Along the rows of ``x`` (n, inputs) the
vector is a piece of a row of ``W``, which is ``(outputs, inputs)``, and no sum ends across a
vector; but for few outputs that does not pay for turning ``x`` round.

A layer without a bias passes an empty one.
"""

from .jit import exact, view
from .matmul import product_nn, product_nn_prefetching, product_nt, row_sums


@view
def start_with_bias(bias, y):
    for i in range(y.shape[0]):
        y[i, :] = bias[i] if bias.size else y.dtype.type(0)


@exact
def dense_forward(x, weights, bias, y):
    """Set ``y`` (outputs, n) to ``W x + b`` for ``x`` (inputs, n)."""
    start_with_bias(bias, y)
    product_nn(weights, x, x.dtype.type(1), True, y)


@exact
def dense_forward_rows(x, weights, bias, scale, y):
    """Set ``y`` (outputs, n) to ``scale * W x.T + b`` for ``x`` (n, inputs)."""
    start_with_bias(bias, y)
    product_nt(weights, x, scale, True, y)


@exact
def dense_input_gradient(weights, dy, dx):
    """Set ``dx`` (inputs, n) to ``W.T dy``."""
    product_nn(weights.T, dy, dx.dtype.type(1), False, dx)


@exact
def dense_weight_update(x, dy, scale, weights):
    """Add ``scale * dy x.T`` to ``weights``, for ``x`` (inputs, n).

    With ``scale = -rate`` that is the whole SGD step.

    The gradient is never stored.  For 784 inputs it would be written, read and cleared
    again at every step: as much memory traffic as the update itself.
    """
    product_nt(dy, x, scale, True, weights)


@exact
def dense_weight_update_rows(x, dy, scale, weights):
    """Add ``scale * dy x`` to ``weights``, for ``x`` (n, inputs)."""
    product_nn(dy, x, scale, True, weights)


@exact
def dense_weight_update_prefetching(x, dy, scale, weights, samples, ahead):
    """The same, and meanwhile prefetch ``samples[ahead]``, which are like those in ``x``."""
    product_nn_prefetching(dy, x, scale, weights, samples, ahead)


@exact
def dense_weight_gradient(x, dy, dweights):
    """Set ``dweights`` to ``dy x.T``, for ``x`` (inputs, n)."""
    product_nt(dy, x, x.dtype.type(1), False, dweights)


@exact
def dense_weight_gradient_rows(x, dy, scale, dweights):
    """Set ``dweights`` to ``scale * dy x``, for ``x`` (n, inputs)."""
    product_nn(dy, x, scale, False, dweights)


@exact
def dense_bias_update(dy, scale, bias):
    """Add ``scale`` times the sum of each row of ``dy`` to ``bias``."""
    row_sums(dy, scale, bias)


@exact
def dense_bias_gradient(dy, dbias):
    """Set ``dbias`` to the sum of each row of ``dy``."""
    dbias[:] = dbias.dtype.type(0)
    row_sums(dy, dy.dtype.type(1), dbias)
