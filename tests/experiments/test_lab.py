"""The lab: nets that are watched train as others do, and an interruption ends them all."""

import contextlib
from dataclasses import replace

import pytest

from fastmlp.experiments import cli, q1
from fastmlp.experiments import lab as laboratory
from fastmlp.experiments.nets import Net
from fastmlp.experiments.settings import Settings
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


def test_what_is_known_of_nets_comes_in_their_order():
    """Whichever thread is done first: the files of a run do not depend on that."""
    nets = [replace(NETS[0], epochs=epochs) for epochs in (60, 1, 2)]
    watching, training = lab(q1, Settings(jobs=3)), lab(q1, Settings(jobs=3))
    watching.observe(nets)
    with contextlib.closing(training):
        training.train("some", nets)
    known = watching.outcomes, watching.observations, watching.probes, training.outcomes
    assert all(list(those) == nets for those in known)


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


def test_nets_train_elsewhere_as_they_do_here():
    different = [*NETS, replace(NETS[0], epochs=3, cool_after=1, cool_by=10.0),
                 replace(NETS[0], samples=20), replace(NETS[0], batch_size=5)]  # fmt: skip
    here = lab(q1)
    here.train("some", different)
    with contextlib.closing(lab(q1, Settings(scheduler="loky", jobs=2))) as elsewhere:
        elsewhere.train("some", different[:4])
        elsewhere.train("others", different)
    assert elsewhere.outcomes == here.outcomes
    assert len({outcome.final("loss") for outcome in here.outcomes.values()}) == len(different)


@pytest.mark.parametrize("scheduler", ["slurm", "dask"])
def test_a_scheduler_that_cannot_be_is_an_error(scheduler, tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["q1", "--scheduler", scheduler, "--jobs", "2", "--out", str(tmp_path / "out")])
    said = capsys.readouterr().err
    assert "scheduler: expected 'local', 'dask'" in said or "jobs: not with a cluster" in said
