"""What one tab of the browser has: two nets, a table of its own, and messages to and fro."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any

from . import data
from .configuration import Configuration, ConfigurationError
from .data import OWN, Problem
from .trainer import Trainer

NETS = ("a", "b")
MOST_WAITING = 60  # messages that a slow browser has not taken yet


class Session:
    """Nets of one tab, trained until it closes.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        That of the server; everything but the training runs in it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._own: Problem | None = None
        self._configurations: dict[str, Configuration] = {}
        self._trainers: dict[str, Trainer] = {}
        self._ending: list[Trainer] = []
        self._slow = False
        self._running: dict[str, int] = {}
        self._number = 0  # of trainings begun

    async def next(self) -> str:
        """Return the next message for the browser."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        return json.dumps(self._waiting.popleft(), separators=(",", ":"), allow_nan=False)

    async def receive(self, text: str) -> None:
        """Do what a message of the browser asks for; what is wrong with it is told, not raised."""
        net = ""
        try:
            message = json.loads(text)
            if not isinstance(message, dict):
                raise ValueError("message: expected an object")
            asked = str(message.get("net", ""))
            net = asked if asked in NETS else ""
            await self._obey(message, net)
        except (ValueError, RecursionError, FileNotFoundError) as reason:
            self._say({"type": "refused", "net": net, "message": str(reason)})

    async def close(self) -> None:
        """End all training."""
        for net in NETS:
            self._end(net)
        for trainer in self._ending:
            await asyncio.to_thread(trainer.join, 10.0)

    async def _obey(self, message: Mapping[str, Any], net: str) -> None:
        kind = message.get("type")
        if kind == "table":
            self._own = await asyncio.to_thread(data.read_csv, _words(message, "text"))
            self._say({"type": "table", "note": self._own.note})
        elif kind == "slow":
            self._slow = message.get("value") is True
            for trainer in self._trainers.values():
                trainer.wish.change(slow=self._slow)
        elif not net:
            raise ValueError(f"net: expected one of {', '.join(NETS)}")
        elif kind == "configure":
            await self._configure(net, _words(message, "query"))
            if message.get("train") is True:
                await self._train(net)
        elif kind == "train":
            await self._train(net)
        elif kind == "pause":
            if net in self._trainers:
                self._trainers[net].wish.change(paused=True)
        elif kind == "step":
            await self._step(net)
        elif kind in ("reset", "remove"):
            self._end(net)
            if kind == "remove":
                self._configurations.pop(net, None)
        else:
            raise ValueError(f"type: there is no {str(kind)[:40]!r}")

    async def _configure(self, net: str, query: str) -> None:
        wanted = Configuration.parse(query)
        problem = await self._problem(wanted)
        model = await asyncio.to_thread(wanted.build, problem)
        self._end(net)
        self._configurations[net] = wanted
        self._say({
            "type": "configured", "net": net, "query": wanted.query(), "values": wanted.values(),
            "code": wanted.code(problem), "parameters": model.count_params(),
            "problem": _told(problem), "steps": wanted.steps(problem),
        })  # fmt: skip

    async def _train(self, net: str) -> None:
        if self._is_under_way(net):
            self._trainers[net].wish.change(paused=False)
        else:
            await self._begin(net, paused=False)

    async def _step(self, net: str) -> None:
        if not self._is_under_way(net):
            await self._begin(net, paused=True)
        self._trainers[net].wish.change(paused=True, steps=1)

    async def _begin(self, net: str, *, paused: bool) -> None:
        if net not in self._configurations:
            raise ValueError("net: configure it first")
        wanted = self._configurations[net]
        problem = await self._problem(wanted)
        self._number += 1
        send = partial(self._hand_over, net, self._number)
        trainer = await asyncio.to_thread(Trainer, wanted, problem, send, slow=self._slow)
        self._end(net)
        self._trainers[net] = trainer
        self._running[net] = self._number
        trainer.start(paused=paused)

    def _is_under_way(self, net: str) -> bool:
        return net in self._trainers and not self._trainers[net].join(0)

    def _end(self, net: str) -> None:
        trainer = self._trainers.pop(net, None)
        self._running.pop(net, None)
        self._ending = [one for one in self._ending if not one.join(0)]
        if trainer is not None:
            trainer.stop()
            self._ending.append(trainer)

    async def _problem(self, wanted: Configuration) -> Problem:
        if wanted.data != OWN:
            return await asyncio.to_thread(data.load, wanted.data, wanted.noise)
        if self._own is None:
            raise ConfigurationError("data: drop a CSV file on the page first")
        return self._own

    def _hand_over(self, net: str, number: int, frame: dict[str, Any]) -> None:
        """Take a frame from a training thread."""
        with contextlib.suppress(RuntimeError):  # the server is closing
            self._loop.call_soon_threadsafe(self._take, net, number, frame)

    def _take(self, net: str, number: int, frame: dict[str, Any]) -> None:
        """Pass a frame on, unless it is of a training that has been replaced."""
        if self._running.get(net) == number:
            self._say({**frame, "net": net})

    def _say(self, message: dict[str, Any]) -> None:
        """Put a message into the queue; a browser that is behind misses frames, nothing else."""
        if len(self._waiting) >= MOST_WAITING and message.get("state") == "running":
            return
        self._waiting.append(message)
        self._news.set()


def _words(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name}: expected a text")
    return value


def _told(problem: Problem) -> dict[str, Any]:
    """Return what the page must know of a problem; of a plane, some of its points."""
    points = None
    if problem.is_plane:
        x, y = problem.train
        points = {"x": x.round(3).tolist(), "y": y.tolist()}
    return {
        "name": problem.name, "classes": list(problem.classes), "note": problem.note,
        "train": len(problem.train[0]), "test": len(problem.test[0]), "points": points,
    }  # fmt: skip
