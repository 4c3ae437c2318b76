"""Layers written in Python as people write them, each right, and with the faults they make."""

import numpy as np

from fastmlp import layers

EPSILON = 1e-3


class Faulty(layers.Layer):
    """A layer that knows which fault it has; ``""`` is none."""

    def __init__(self, fault="", **options):
        super().__init__(name="it", **options)
        self.fault = fault


class BatchNorm(Faulty):
    """Of each feature over the batch; ``axis`` 1 makes it layer normalization."""

    axis = 0

    def build(self, input_shape):
        self.add_weight("gamma", input_shape, "normal")
        self.add_weight("beta", input_shape, "normal")

    def forward(self, x, training):
        centred = x - x.mean(self.axis, keepdims=True)
        self.deviation = np.sqrt((centred**2).mean(self.axis, keepdims=True) + EPSILON)
        self.x, self.normed = x.copy(), centred / self.deviation
        return self.normed * self.weights["gamma"] + self.weights["beta"]

    def backward(self, dy):
        fault, axis, normed = self.fault, self.axis, self.normed
        dgamma = (dy * (self.x if fault == "gamma sees the input" else normed)).sum(axis=0)
        dbeta = dy.mean(axis=0) if fault == "beta takes the mean" else dy.sum(axis=0)
        dn = dy if fault == "gamma left out" else dy * self.weights["gamma"]
        dx = dn.copy()
        if fault != "mean held fixed":
            dx -= dn.mean(axis, keepdims=True)
        if fault != "variance held fixed":
            dx -= normed * (dn * normed).mean(axis, keepdims=True)
        deviation = self.deviation**2 if fault == "variance for deviation" else self.deviation
        return dx / deviation, {"gamma": dgamma, "beta": dbeta}


class LayerNorm(BatchNorm):
    axis = 1


class Convolution(Faulty):
    """Of three neighbours, without padding."""

    def build(self, input_shape):
        self.add_weight("kernel", (3,), "normal")

    def output_shape(self, input_shape):
        return (input_shape[0] - 2,)

    def forward(self, x, training):
        self.x, k = x.copy(), self.weights["kernel"]
        n = x.shape[1] - 2
        return sum(k[j] * x[:, j : j + n] for j in range(3))

    def backward(self, dy):
        n, k = dy.shape[1], self.weights["kernel"]
        if self.fault == "kernel flipped":
            k = k[::-1]
        shift = 1 if self.fault == "off by one" else 0
        dk = np.array([(dy * np.roll(self.x, shift, 1)[:, j : j + n]).sum() for j in range(3)])
        dx = np.zeros_like(self.x)
        for j in range(3):
            if self.fault == "overwrites instead of adding":
                dx[:, j : j + n] = k[j] * dy
            else:
                dx[:, j : j + n] += k[j] * dy
        if self.fault == "border forgotten":
            dx[:, -1] = 0
        return dx, {"kernel": dk}


class MaxPooling(Faulty):
    """Of two neighbours."""

    def output_shape(self, input_shape):
        return (input_shape[0] // 2,)

    def forward(self, x, training):
        self.pairs = x.reshape(len(x), -1, 2).copy()
        return self.pairs.max(axis=2)

    def backward(self, dy):
        won = self.pairs == self.pairs.max(axis=2, keepdims=True)
        if self.fault == "to both":
            won = np.ones_like(won)
        if self.fault == "to the first":
            won = np.arange(2) == 0
        return (dy[:, :, None] * won).reshape(len(dy), -1), {}


class AveragePooling(MaxPooling):
    def forward(self, x, training):
        return x.reshape(len(x), -1, 2).mean(axis=2)

    def backward(self, dy):
        share = 1 if self.fault == "not shared" else 0.5
        return np.repeat(dy * share, 2, axis=1), {}


class Gate(Faulty):
    """The first half lets the second through, as far as its sigmoid goes."""

    def output_shape(self, input_shape):
        return (input_shape[0] // 2,)

    def forward(self, x, training):
        a, self.b = np.split(x, 2, axis=1)
        self.g, self.b = 1 / (1 + np.exp(-a)), self.b.copy()
        return self.g * self.b

    def backward(self, dy):
        slope = self.g if self.fault == "slope of the gate" else self.g * (1 - self.g)
        da = 0 * dy if self.fault == "gate held fixed" else dy * self.b * slope
        db = dy if self.fault == "gate forgotten" else dy * self.g
        halves = [db, da] if self.fault == "halves swapped" else [da, db]
        return np.concatenate(halves, axis=1), {}


class Tied(Faulty):
    """``tanh(x W) W^T``: one matrix, used twice."""

    def build(self, input_shape):
        self.add_weight("kernel", (input_shape[0], 4), "glorot_uniform")

    def forward(self, x, training):
        w = self.weights["kernel"]
        self.x, self.h = x.copy(), np.tanh(x @ w)
        return self.h @ w.T

    def backward(self, dy):
        w = self.weights["kernel"]
        dz = dy @ w * (1 - self.h**2)
        first, second = self.x.T @ dz, dy.T @ self.h
        match self.fault:
            case "first use only":
                second = 0
            case "second use only":
                first = 0
        return dz @ w.T, {"kernel": first + second}


class Recurrent(Faulty):
    """``h = tanh(u x_t + w h)``, one feature at a time."""

    def build(self, input_shape):
        self.add_weight("u", (4,), "normal")
        self.add_weight("w", (4, 4), "glorot_uniform")

    def output_shape(self, input_shape):
        return (4,)

    def forward(self, x, training):
        self.x, self.states = x.copy(), [np.zeros((len(x), 4))]
        for t in range(x.shape[1]):
            z = x[:, t, None] * self.weights["u"] + self.states[-1] @ self.weights["w"]
            self.states.append(np.tanh(z))
        return self.states[-1]

    def backward(self, dy):
        u, w = self.weights["u"], self.weights["w"]
        du, dw, dx = np.zeros(4), np.zeros((4, 4)), np.zeros_like(self.x)
        dh = dy
        for t in reversed(range(self.x.shape[1])):
            dz = dh * (1 - self.states[t + 1] ** 2)
            dx[:, t] = dz @ u
            du += (dz * self.x[:, t, None]).sum(axis=0)
            if self.fault == "later state":
                dw += self.states[t + 1].T @ dz
            elif self.fault == "last step only":
                dw = self.states[t].T @ dz if t == self.x.shape[1] - 1 else dw
            else:
                dw += self.states[t].T @ dz
            dh = dz @ (w if self.fault == "not transposed" else w.T)
            if self.fault == "cut off after two steps" and t == self.x.shape[1] - 2:
                break
        return dx, {"u": du, "w": dw}


class Accumulating(Faulty):
    """``x * scale + shift``, with buffers of its own for the gradients."""

    def build(self, input_shape):
        self.add_weight("scale", input_shape, "normal")
        self.add_weight("shift", input_shape, "normal")
        self.buffers = [np.zeros(input_shape), np.zeros(input_shape)]
        self.handed_down = 0.0

    def forward(self, x, training):
        self.x = x.copy()
        return x * self.weights["scale"] + self.weights["shift"]

    def backward(self, dy):
        dscale, dshift = self.buffers
        if self.fault == "one buffer for both":
            dshift = dscale
        for buffer, what in ((dscale, dy * self.x), (dshift, dy)):
            if self.fault == "scale not cleared" and buffer is self.buffers[0]:
                buffer += what.sum(axis=0)
            elif self.fault == "averaged with the last call's":
                buffer[:] = 0.5 * buffer + what.sum(axis=0)
            else:
                buffer[:] = what.sum(axis=0)
        dx = dy * self.weights["scale"]
        if self.fault == "input's gradient not cleared":
            self.handed_down = self.handed_down + dx
            dx = self.handed_down
        return dx, {"scale": dscale, "shift": dshift}


class Views(Faulty):
    """``tanh``, with a work array that it keeps without a copy."""

    def forward(self, x, training):
        work = x.copy()
        self.kept = work if self.fault == "input not copied" else work.copy()
        self.y = np.tanh(work, out=work)
        return self.y.copy()

    def backward(self, dy):
        if self.fault == "slope from the input":
            return dy * (1 - self.kept**2), {}
        return dy * (1 - np.tanh(self.kept) ** 2), {}


class Residual(Faulty):
    """``x + tanh(x)``."""

    def forward(self, x, training):
        self.slope = 1 - np.tanh(x) ** 2
        return x + np.tanh(x)

    def backward(self, dy):
        skip, branch = dy, dy * self.slope
        match self.fault:
            case "skip forgotten":
                skip = 0
            case "branch forgotten":
                branch = 0
        return skip + branch, {}
