"""A sweep: many configurations of a net, trained wherever there are cores."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from ..runtime.arguments import (
    is_integer,
    items,
    positive_integer,
    real_array,
    seed_integer,
    shown,
    truth,
)
from ..runtime.progress import NetsProgress, resolve_verbose
from ..runtime.schedulers import MOST_NETS, Packet, Pool, scheduler_of
from ..runtime.schedulers import spool as spools
from ..version import __version__
from .halving import Halving
from .journal import SPOOL, Journal, digest
from .packet import Build, Course, Measure, SweepWork, Trial, built
from .row import TROUBLED, Row, unpack
from .spaces import Config, Space, space_of
from .table import Table
from .with_optuna import Optuna


def sweep(
    space: Any,
    build: Build,
    x: ArrayLike,
    y: ArrayLike,
    *,
    seeds: int | Sequence[int] = 1,
    batch_size: int = 32,
    epochs: int = 1,
    validation_data: tuple[ArrayLike, ...] | None = None,
    shuffle: bool = True,
    halving: Halving | None = None,
    measure: Measure | None = None,
    out: str | os.PathLike[str] | None = None,
    weights: bool = False,
    packet: int | None = None,
    jobs: int | None = None,
    scheduler: Any = "local",
    verbose: str | int = "auto",
) -> Table:
    """Train a net for each configuration of a space and each seed, and return a table.

    Each net gets the bits that ``model.fit`` would give it alone, wherever it is trained and
    however many are at once.  A net that fails or diverges is a row that says so.  Ctrl-C returns
    what is done.  With ``out``, a sweep that was ended, also by SIGKILL, goes on where it was when
    it is called again, and ends with the same table: all but ``seconds``, bit for bit.

    Parameters
    ----------
    space : dict of lists, or Grid, Random, Sobol, Optuna
        See :mod:`fastmlp.sweeps`.
    build : callable
        ``build(seed=..., **configuration)`` returns a compiled net; or a pair of it and a dict with
        what holds for this net alone: ``batch_size``, ``epochs``, ``callbacks``, ``subset`` and
        ``sample_weight`` (see :func:`fastmlp.fit_many`).
    x, y, batch_size, epochs, validation_data, shuffle
        As in :meth:`Sequential.fit`.
    seeds : int or sequence of int
        How many nets each configuration has, with seeds from 0; or which seeds.
    halving : Halving, optional
        Stops poor nets early, compared with those of their packet.
    measure : callable, optional
        Called with each trained net; returns a dict of numbers, which become columns.
    out : path, optional
        A folder that keeps what is done.
    weights : bool
        Whether each net is saved in that folder, for :func:`fastmlp.load_model`.
    packet : int, positive, optional
        How many nets a task trains: by default 256, or less if there would be too few packets for
        the workers.  With a halving always 256, as nets are compared within their packet.
    jobs : int, positive, optional
        How many nets train at once; by default one per available core.
    scheduler : str or distributed.Client
        "local" are threads of this process; else a backend of joblib such as "loky", "dask" for a
        cluster of processes on this machine, or a dask scheduler's address, file or client.
    verbose : {"auto", 0, 1, 2}
        As in :func:`fastmlp.fit_many`.

    Returns
    -------
    Table

    Raises
    ------
    ImportError
        If a package for the space or the scheduler is missing.
    RuntimeError
        If another process is writing into ``out``, or workers were lost again and again.
    TypeError, ValueError
        If an argument is not what it should be, if ``build`` fails for the first configuration, or
        ``out`` has another sweep; nothing has changed then.
    """
    space, numbers = space_of(space), _checked_seeds(seeds)
    course = Course(
        positive_integer("batch_size", batch_size), positive_integer("epochs", epochs),
        truth("shuffle", shuffle), halving, measure, truth("weights", weights),
    )  # fmt: skip
    if packet is not None:
        packet = positive_integer("packet", packet)
    folder = None if out is None else Path(out)
    if weights and folder is None:
        raise ValueError("weights: expected a folder, out, to save them in")
    spreads = scheduler_of(scheduler, jobs, None if folder is None else folder / SPOOL)
    data = _arrays("", x, y)
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
            raise ValueError("validation_data: expected (x, y) or (x, y, sample_weight)")
        validation = _arrays("validation_data ", *validation_data)
    shows = resolve_verbose(verbose)
    work = SweepWork(build, data, validation, course)
    _check_build(work, space, numbers[0])
    plan = {
        "nets": space.count * len(numbers), "space": space.describe(), "seeds": numbers,
        "build": _name_of(build),
        "batch_size": course.batch_size, "epochs": course.epochs, "shuffle": course.shuffle,
        "halving": None if halving is None else vars(halving),
        "packet": (packet or MOST_NETS) if halving is not None else None,
        "measure": None if measure is None else _name_of(measure),
        "weights": course.keeps_weights, "data": digest(*data),
        "validation_data": None if validation is None else digest(*validation),
        "version": __version__,
    }  # fmt: skip
    with ExitStack() as stack:
        journal = None if folder is None else stack.enter_context(Journal(folder, plan))
        run = _Run(space, numbers, course, packet, journal, shows if shows in (0, 1, 2) else 0)
        pool = stack.enter_context(spreads.open(work))
        return run.go(pool)


class _Run:
    """A sweep under way."""

    def __init__(
        self,
        space: Space,
        seeds: list[int],
        course: Course,
        packet: int | None,
        journal: Journal | None,
        shows: int,
    ) -> None:
        self._space, self._seeds, self._course = space, seeds, course
        self._packet, self._journal = packet, journal
        self._wanted = space.count * len(seeds)
        self.rows: dict[int, Row] = {} if journal is None else journal.rows
        self._take_what_workers_left()
        self._progress = NetsProgress(shows, self._wanted, self._wanted)
        self._progress.resume(len(self.rows), self._troubled, len(self.rows))

    def go(self, pool: Pool) -> Table:
        """Train what is not done, and return the table."""
        try:
            self._go(pool)
        except KeyboardInterrupt:
            return self._end("; interrupted")
        except BaseException:
            self._progress.clear()
            raise
        return self._end("")

    def _go(self, pool: Pool) -> None:
        source, first = self._space.open(), 0
        while asked := source.ask():
            numbered = list(self._numbered(asked, first))
            packets = list(self._packets(numbered, pool))
            if packets:
                pool.run(packets, self._take)
            source.tell(self._told(asked, first))
            first += len(numbered)

    def _numbered(self, asked: Sequence[Config], first: int) -> Iterator[tuple[int, Trial]]:
        """Yield the nets of configurations, with their numbers."""
        number = first
        for config in asked:
            for seed in self._seeds:
                yield number, Trial(config, seed)
                number += 1

    def _packets(self, nets: list[tuple[int, Trial]], pool: Pool) -> Iterator[Packet]:
        """Yield packets of what is not done."""
        rows = self.rows
        if self._course.halving is not None:
            size = self._packet or MOST_NETS
            parts = [nets[first : first + size] for first in range(0, len(nets), size)]
        else:
            left = [net for net in nets if net[0] not in rows]
            size = self._packet or pool.packet_size(len(left))
            parts = [left[first : first + size] for first in range(0, len(left), size)]
        for part in parts:
            done = {number: _note(rows[number]) for number, _ in part if number in rows}
            packet = Packet(tuple(part), done)
            if packet.missing:
                yield packet

    def _told(self, asked: Sequence[Config], first: int) -> Any:
        """Return the rows of configurations that are done, for whoever suggests the next."""
        per = len(self._seeds)
        return [
            (config, [vars(self.rows[first + k * per + s]) for s in range(per)])
            for k, config in enumerate(asked)
        ]

    def _take(self, number: int, result: bytes) -> None:
        """Put down a net that is done."""
        if number in self.rows:
            return
        row, weights = unpack(result)
        if self._journal is not None:
            self._journal.add(row, weights)
        self.rows[number] = row
        self._count(row)

    def _count(self, row: Row) -> None:
        figures = " - ".join(f"{name}: {value:.4f}" for name, value in row.figures.items())
        said = row.message or f"{row.seconds:.2f} s - {figures}"
        self._progress.add(f"net {row.net}", said, row.status in TROUBLED)
        self._progress.advance(len(self.rows))

    @property
    def _troubled(self) -> int:
        return sum(row.status in TROUBLED for row in self.rows.values())

    def _take_what_workers_left(self) -> None:
        """Put down what worker processes had done when their sweep was killed."""
        if self._journal is not None:
            folder = self._journal.folder / SPOOL
            for result in spools.read_all(folder).values():
                row, weights = unpack(result)
                self._journal.add(row, weights)
            spools.remove(folder)

    def _end(self, more: str) -> Table:
        table = Table(list(self.rows.values()), self._wanted)
        if self._journal is not None:
            spools.remove(self._journal.folder / SPOOL)  # all that is in there has been taken
            self._journal.finish(table)
        trouble = f"; {self._troubled} failed or diverged" if self._troubled else ""
        self._progress.end(f"{len(table)} of {self._wanted} nets are done{trouble}{more}")
        return table


def _note(row: Row) -> bytes:
    """Return what a packet must know of a net that is done."""
    return json.dumps(row.rungs).encode()


def _name_of(function: Any) -> str:
    """Return the name of a function; of another callable, such as a partial, that of its class."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def _checked_seeds(seeds: Any) -> list[int]:
    """Return the seeds of each configuration."""
    if is_integer(seeds):
        return list(range(positive_integer("seeds", seeds)))
    found = [
        seed_integer(f"seeds[{k}]", seed)
        for k, seed in enumerate(items("seeds", "integers", seeds))
    ]
    if not found or len(set(found)) < len(found):
        raise ValueError(f"seeds: expected at least one, and each once, got {shown(seeds)}")
    return found


def _arrays(argument: str, *given: Any) -> tuple[Any, ...]:
    """Return samples, answers and weights as arrays, which can be sent and compared."""
    names = ("x", "y", "sample_weight")
    return tuple(
        real_array(f"{argument}{name}", values)
        for name, values in zip(names, given, strict=False)
        if values is not None
    )


def _check_build(work: SweepWork, space: Space, seed: int) -> None:
    """Build the first net, so that what is wrong with all of them is an error now.

    Raises
    ------
    TypeError, ValueError, RuntimeError
        If it can't be built or trained, or its figures don't go with the rest.
    """
    if not callable(work.build):
        raise TypeError(f"build: expected a function, got {shown(work.build)}")
    course, halving = work.course, work.course.halving
    if halving is not None and not isinstance(halving, Halving):
        raise TypeError(f"halving: expected a fastmlp.sweeps.Halving, got {shown(halving)}")
    if course.measure is not None and not callable(course.measure):
        raise TypeError(f"measure: expected a function, got {shown(course.measure)}")
    model, options = built(work.build, Trial(space.open().ask()[0], seed))
    if model.loss is None:
        raise ValueError("build: expected a net that is compiled")
    if halving is not None and ("epochs" in options or "callbacks" in options):
        raise ValueError("halving: not with epochs or callbacks of a net's own")
    figures = ["loss", "data_loss", *(metric.name for metric in model.metrics)]
    if work.validation is not None:
        figures += [f"val_{name}" for name in figures]
    clash = [name for name in space.names if name in figures]
    if clash:
        raise ValueError(f"space: {clash[0]!r} is the name of a figure; give the setting another")
    monitors = {"halving": halving, "space": space if isinstance(space, Optuna) else None}
    for argument, monitoring in monitors.items():
        monitor = getattr(monitoring, "monitor", None)
        is_measured = course.measure is not None and monitoring is not halving  # when all is done
        if monitor is not None and monitor not in figures and not is_measured:
            raise ValueError(
                f"{argument}: expected to monitor one of {', '.join(figures)}, got {shown(monitor)}"
            )
