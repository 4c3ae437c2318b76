"""The lab: nets that are watched train as others do, and an interruption ends them all."""

from dataclasses import replace

import pytest

from fastmlp.experiments import lab as laboratory
from fastmlp.experiments import q1
from fastmlp.experiments.nets import Net
from tests.experiments.labs import lab

NETS = [Net("tanh", 2, 4, epochs=2, seed=seed) for seed in range(3)]


def test_watched_nets_train_as_others_do():
    watching, training = lab(q1), lab(q1)
    watching.observe(NETS)
    training.train("some", NETS, probed=True)
    for net in NETS:
        assert watching.outcomes[net].figures == training.outcomes[net].figures
        first = watching.observations[net].gradient_norms[0]
        assert training.probes[net].gradient == pytest.approx(first, rel=1e-5)


def test_ctrl_c_ends_all_that_are_watched(monkeypatch):
    it = lab(q1)
    long = [replace(net, epochs=10_000) for net in NETS[1:]]

    class Interrupted(laboratory.ThreadPoolExecutor):
        def submit(self, *arguments):
            if self._work_queue.qsize() or arguments[1] is long[-1]:
                raise KeyboardInterrupt
            return super().submit(*arguments)

    monkeypatch.setattr(laboratory, "ThreadPoolExecutor", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        it.observe(long)
    assert not it.outcomes
    assert not it.observations
