"""The running mean of the weights against torch's, step by step, in float64."""

import copy
import pickle

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fastmlp import Sequential, callbacks, layers, load_model, optimizers
from tests.backends import ALL

from .test_optimizers import BATCH, EPOCHS, STEPS, data, gradients, ours

MAKERS = {
    "sgd": (lambda **o: optimizers.SGD(0.1, **o), lambda w: torch.optim.SGD(w, 0.1)),
    "adamw": (
        lambda **o: optimizers.AdamW(0.01, weight_decay=0.1, **o),
        lambda w: torch.optim.AdamW(w, 0.01, eps=1e-7, weight_decay=0.1),
    ),
}


class Net(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.weights = torch.nn.ParameterList(torch.tensor(w) for w in weights)


def theirs(make, before, momentum, every=None):
    """The mean after 200 steps; ``every`` so many steps, it becomes the weights."""
    net = Net(before)
    weights = list(net.weights)
    stepper = make(weights)
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(momentum))
    for step in range(STEPS):
        for w, g in zip(weights, gradients(weights, step), strict=True):
            w.grad = g
        stepper.step()
        average.update_parameters(net)
        if every is not None and (step + 1) % every == 0:
            with torch.no_grad():
                for w, mean in zip(weights, average.module.weights, strict=True):
                    w.copy_(mean)
    return [w.detach().numpy() for w in average.module.weights]


@pytest.mark.parametrize("backend", ALL)
@pytest.mark.parametrize("every", [None, 7])
@pytest.mark.parametrize("name", MAKERS)
def test_200_steps_are_those_of_torch(name, every, backend):
    make, of_torch = MAKERS[name]
    optimizer = make(use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=every)
    before, after = ours(optimizer, backend)
    for own, other in zip(after, theirs(of_torch, before, 0.9, every), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-9)


def made(backend="cython", **options):
    options = {"use_ema": True, "ema_momentum": 0.8} | options
    model = Sequential([layers.Input(7), layers.Dense(5, "softmax")], seed=1, backend=backend)
    model.compile(optimizers.Adam(0.01, **options), "sparse_categorical_crossentropy")
    return model


def fit(model, **options):
    return model.fit(*data(), batch_size=BATCH, **{"epochs": 3, "verbose": 0} | options)


@pytest.mark.parametrize("backend", ALL)
def test_the_mean_does_not_change_the_steps(backend):
    plain, averaged = made(backend, use_ema=False), made(backend)
    seen = {}
    for model in (plain, averaged):
        keep = callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs, model=model: seen.setdefault(model, []).append(
                model.params.tobytes()
            )
        )
        fit(model, callbacks=[keep])
    assert seen[plain] == seen[averaged]
    assert averaged.params.tobytes() != seen[averaged][-1]  # a fit ends with the mean


def test_the_best_weights_are_restored_after_the_mean():
    """As in Keras: what EarlyStopping keeps are the weights of an epoch."""
    model, kept = made(), []
    keep = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: kept.append(model.params.tobytes())
    )
    stop = callbacks.EarlyStopping("loss", restore_best_weights=True)
    fit(model, callbacks=[keep, stop])
    assert model.params.tobytes() in kept


@pytest.mark.parametrize("way", ["copy", "pickle", "file"])
def test_a_copy_goes_on_with_the_mean(way, tmp_path):
    model = made()
    fit(model)
    if way == "file":
        model.save(tmp_path / "net")
    other = {
        "copy": lambda: copy.deepcopy(model),
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
        "file": lambda: load_model(tmp_path / "net"),
    }[way]()
    for one in (model, other):
        fit(one)
    assert model.params.tobytes() == other.params.tobytes()


def test_single_steps_keep_the_weights():
    model, plain = made(), made(use_ema=False)
    for one in (model, plain):
        for _ in range(3):
            one.train_on_batch(*data())
    assert model.params.tobytes() == plain.params.tobytes()


def test_bad_arguments():
    for name, wrong in (
        ("ema_momentum", 1.0), ("ema_momentum", -0.1), ("ema_momentum", "a"),
        ("ema_overwrite_frequency", 0), ("ema_overwrite_frequency", 1.5),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=f"^{name}: expected"):
            made(**{name: wrong})
    with pytest.raises(TypeError, match="^use_ema: expected"):
        made(use_ema=1)
    assert EPOCHS * len(data()[0]) == STEPS * BATCH
