"""What is said of a net follows from its numbers."""

import pytest

from fastmlp.playground import data
from fastmlp.playground.diagnosis import Course, diagnose

MOONS = data.load("moons")


def layer(name, gradient=1.0, ratio=0.01, std=1.0, dead=0.0):
    return {
        "name": name, "gradient_norm": gradient, "update_ratio": ratio, "std": std, "dead": dead,
    }  # fmt: skip


def net(**first):
    return [layer("layer 1", **first), layer("layer 2"), layer("output layer", std=None)]


def course(*accuracies, losses=None, train=None):
    found = Course()
    for place, accuracy in enumerate(accuracies):
        loss = losses[place] if losses else 1 - accuracy
        first = train[place] if train else accuracy
        found.add({"loss": loss, "accuracy": first, "val_loss": loss, "val_accuracy": accuracy})
    return found


NEVER, LEARNS = (0.5, 0.52, 0.49), (0.7, 0.9, 0.97)


@pytest.mark.parametrize(
    ("accuracies", "layers", "words"),
    [
        (LEARNS, net(), "It learns: its test accuracy is 0.970"),
        (NEVER, net(), "It has not learned"),
        (NEVER, net(), "Its gradients reach the first layer"),
        (NEVER, net(gradient=1e-6), "shrinks most from layer 2 (1) to layer 1 (1e-06)"),
        (NEVER, net(gradient=1e4), "The gradient grows on its way down"),
        (NEVER, net(std=1e4), "The signal is lost on its way up"),
        (NEVER, net(dead=0.4), "40% of layer 1"),
        (NEVER, net(ratio=0.8), "One step changes layer 1 by 80%"),
        (NEVER, [layer("layer 1", ratio=1e-9), layer("output layer", ratio=1e-9)], "rate is low"),
        (NEVER, [layer("layer 1", 0.0), layer("output layer", 0.0)], "of every layer is 0"),
        ((0.98, 0.97, 0.5), net(), "It learned and lost it: its test accuracy was 0.980"),
        ((0.72, 0.72, 0.72), net(), "but little yet"),
    ],
)
def test_what_is_said(accuracies, layers, words):
    assert any(words in said for said in diagnose(MOONS, course(*accuracies), layers))


def test_a_net_that_learns_is_not_told_causes():
    said = diagnose(MOONS, course(*LEARNS), net(gradient=1e-6, std=1e4))
    assert len(said) == 1


def test_overfitting_is_said_of_nets_that_learn():
    losses = [0.5, 0.1, *[0.3] * 8]
    said = diagnose(MOONS, course(*[0.97] * 10, losses=losses), net())
    assert "lowest after epoch 2" in said[1]
    said = diagnose(MOONS, course(0.8, 0.85, train=[1.0, 1.0]), net())
    assert "15% more of the training" in said[1]
    assert not any(
        "overfits" in s for s in diagnose(MOONS, course(*[0.5] * 10, losses=losses), net())
    )


def test_divergence_comes_first():
    it = course(*NEVER)
    it.divergence = "The loss is nan in step 3."
    assert diagnose(MOONS, it, net(ratio=0.9)) == [
        "It came apart. The loss is nan in step 3.",
        "One step changes layer 1 by 90% of its weights' norm: the rate is high for this net.",
    ]


def test_nothing_is_said_before_the_first_epoch():
    assert diagnose(MOONS, Course(), net()) == []


def test_numbers_instead_of_classes():
    problem = data.read_csv("\n".join(f"{i},{i / 7}" for i in range(40)))
    it = Course()
    it.add({"loss": 0.1, "val_loss": 0.05})
    assert "of the test targets' variance" in diagnose(problem, it, net())[0]
    it.add({"loss": 9.0, "val_loss": 9.0})
    assert "no better on the test set than a constant" in diagnose(problem, it, net())[0]
