"""A dense layer, ``y = W x + b``, and its gradients; ``W`` is (outputs, inputs)."""


def dense_forward(x, weights, bias, y):
    y[:] = weights @ x + (bias[:, None] if bias.size else 0)


def dense_forward_rows(x, weights, bias, scale, y):
    y[:] = scale * (weights @ x.T) + (bias[:, None] if bias.size else 0)


def dense_input_gradient(weights, dy, dx):
    dx[:] = weights.T @ dy


def dense_weight_update(x, dy, scale, weights):
    weights += scale * (dy @ x.T)


def dense_weight_update_rows(x, dy, scale, weights):
    weights += scale * (dy @ x)


def dense_weight_gradient(x, dy, dweights):
    dweights[:] = dy @ x.T


def dense_weight_gradient_rows(x, dy, scale, dweights):
    dweights[:] = scale * (dy @ x)


def dense_bias_update(dy, scale, bias):
    if bias.size:
        bias += scale * dy.sum(axis=1)


def dense_bias_gradient(dy, dbias):
    if dbias.size:
        dbias[:] = dy.sum(axis=1)
