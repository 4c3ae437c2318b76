"""When a net counts as stuck, and what its loss is held against."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fastmlp.experiments.nets import Net, Outcome, label_entropy
from fastmlp.optimizers import Adam
from tests.experiments.labs import small_dataset


def outcome(loss, divergence=""):
    return Outcome({"val_loss": [0.1, loss]}, divergence, {})


def test_entropy_of_balanced_labels():
    assert label_entropy(np.repeat(np.arange(10), 7)) == pytest.approx(math.log(10), rel=1e-15)


def test_entropy_counts_only_classes_that_occur():
    assert label_entropy(np.array([0, 3, 3, 0])) == pytest.approx(math.log(2), rel=1e-15)


@pytest.mark.parametrize(
    ("loss", "stuck"), [(2.0, True), (1.981, True), (1.979, False), (0.1, False), (np.nan, True)]
)
def test_a_net_is_stuck_if_it_explains_less_than_a_hundredth(loss, stuck):
    assert outcome(loss).is_stuck(entropy=2.0) is stuck


def test_a_net_that_diverged_is_stuck():
    assert outcome(0.1, "training diverged").is_stuck(entropy=2.0)


@pytest.mark.parametrize(("data_loss", "stuck"), [(0.1, False), (1.99, True)])
def test_a_penalty_does_not_make_a_net_stuck(data_loss, stuck):
    it = Outcome({"val_loss": [7.0, 5.0], "val_data_loss": [0.1, data_loss]}, "", {})
    assert it.is_stuck(entropy=2.0) is stuck
    assert it.of_data("val_loss") == [0.1, data_loss]


def test_a_net_is_built_as_it_says():
    net = Net("tanh", 3, 5, l1=0.1, dropout=0.5, learning_rate=0.3, momentum=0.9, seed=7)
    model = net.build(small_dataset())
    shapes = [w.shape for w in model.get_weights()]
    assert shapes == [(9, 5), (5,), (5, 5), (5,), (5, 5), (5,), (5, 4), (4,)]
    assert [type(layer).__name__ for layer in model.layers].count("Dropout") == 3
    assert (model.optimizer.learning_rate, model.optimizer.momentum) == (0.3, 0.9)
    assert model.seed == 7


def test_a_residual_net_leads_around_all_hidden_layers_but_the_first():
    net = Net("tanh", 3, 5, residual=True, dropout=0.5)
    plain = replace(net, residual=False).build(small_dataset())
    model = net.build(small_dataset())
    assert [type(layer).__name__ for layer in model.layers].count("Residual") == 2
    assert [w.shape for w in model.get_weights()] == [w.shape for w in plain.get_weights()]


def test_a_normalized_net_normalizes_before_each_activation():
    model = Net("tanh", 2, 5, normalized=True).build(small_dataset())
    names = [type(layer).__name__ for layer in model.layers]
    assert names[-7:] == [*["Dense", "BatchNormalization", "Activation"] * 2, "Dense"]


def test_adam_has_the_nets_rate():
    model = Net("relu", 1, optimizer="adam", learning_rate=0.002).build(small_dataset())
    assert isinstance(model.optimizer, Adam)
    assert model.optimizer.learning_rate == 0.002
