"""A net in its thread: it trains as ``fit`` does, waits, steps and ends when asked to."""

import json
import queue

import numpy as np
import pytest

from fastmlp.playground import data
from fastmlp.playground.configuration import Configuration
from fastmlp.playground.trainer import Trainer

WAIT = 30.0


class Frames:
    def __init__(self, link, **options):
        self.frames = queue.Queue()
        wanted = Configuration.parse(link)
        self.problem = data.load(wanted.data, wanted.noise)
        self.trainer = Trainer(wanted, self.problem, self.frames.put, **options)

    def until(self, found):
        while True:
            frame = self.frames.get(timeout=WAIT)
            json.dumps(frame, allow_nan=False)
            if found(frame):
                return frame


def test_it_trains_as_fit_does_and_says_what_it_sees():
    link = "data=moons&hidden=8:relu,8:tanh&dropout=0.1&epochs=20"
    live = Frames(link)
    live.trainer.start()
    last = live.until(lambda frame: frame["state"] == "done")
    wanted = Configuration.parse(link)
    plain = wanted.build(live.problem)
    history = plain.fit(
        *live.problem.train, epochs=20, verbose=0, validation_data=live.problem.test
    )
    np.testing.assert_array_equal(plain.params, live.trainer.model.params)
    assert last["step"] == 260
    assert last["figures"]["val_accuracy"] == pytest.approx(history.history["val_accuracy"][-1])
    assert [layer["name"] for layer in last["layers"]] == ["layer 1", "layer 2", "output layer"]
    assert {"gradient_norm", "update_ratio", "saturated", "dead"} <= set(last["layers"][0])
    assert [h["name"] for h in last["histograms"]] == ["layer 1", "layer 2"]
    assert sum(last["histograms"][0]["counts"]) == 64 * 8
    assert last["boundary"]["side"] == 48
    assert last["change"] > 0
    assert last["diagnosis"]


def test_normalized_residual_nets_and_pictures_are_seen_too():
    live = Frames("data=digits&hidden=6:relu,6:relu&normalized=1&residual=1&epochs=1")
    live.trainer.start()
    last = live.until(lambda frame: frame["state"] == "done")
    assert [h["name"] for h in last["histograms"]] == ["layer 1", "layer 2"]
    assert all(layer["gradient_norm"] > 0 for layer in last["layers"])
    assert last["layers"][1]["saturated"] is not None
    assert last["images"]["units"] == 6
    assert (last["images"]["height"], last["images"]["width"]) == (8, 8)
    assert last["boundary"] is None


def test_it_steps_pauses_goes_on_and_stops():
    live = Frames("data=moons&epochs=10000")
    trainer = live.trainer
    trainer.start(paused=True)
    assert live.until(lambda frame: True)["step"] == 0
    for step in (1, 2):
        trainer.wish.change(steps=1)
        assert live.until(lambda frame, step=step: frame["step"] >= step)["step"] == step
    assert trainer.model.steps_trained == 2
    trainer.wish.change(paused=False)
    live.until(lambda frame: frame["step"] > 100)
    trainer.wish.change(paused=True)
    live.until(lambda frame: frame["state"] == "paused")
    steps = trainer.model.steps_trained
    assert not trainer.join(0.05)
    assert trainer.model.steps_trained == steps
    trainer.stop()
    assert trainer.join(WAIT)
    assert trainer.model.steps_trained <= steps + 1


def test_slowly_is_one_step_at_a_time():
    live = Frames("data=moons&epochs=10000", slow=True)
    live.trainer.start()
    steps = [live.until(lambda frame: True)["step"] for _ in range(4)]
    assert steps == [0, 1, 2, 3]
    live.trainer.stop()
    assert live.trainer.join(WAIT)


def test_it_says_where_it_came_apart():
    live = Frames("data=circles&hidden=9:relu,9:linear&rate=100&momentum=0.99&epochs=500")
    live.trainer.start()
    last = live.until(lambda frame: frame["state"] in ("diverged", "done"))
    assert last["state"] == "diverged"
    assert last["diagnosis"][0].startswith("It came apart.")
