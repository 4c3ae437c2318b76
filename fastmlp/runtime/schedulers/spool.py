"""Files in which workers on the same machine leave what they have done, in case that they die."""

import base64
import json
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self


class Spool:
    """The file of one packet, while a worker trains it.

    A line for each net, written by one call: if the worker is killed meanwhile, its last line has
    no end, and is left out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        _drop_what_has_no_end(self._path)
        self._file = self._path.open("ab", buffering=0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def add(self, number: int, result: bytes, note: bytes) -> None:
        """Put down what became of a net."""
        encoded = (base64.b64encode(part).decode() for part in (result, note))
        self._file.write(json.dumps([number, *encoded]).encode() + b"\n")


def read(path: Path) -> dict[int, tuple[bytes, bytes]]:
    """Return what a file of a packet has: of each net its result, and its note."""
    if not path.exists():
        return {}
    found = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        number, result, note = json.loads(line)
        found[number] = base64.b64decode(result), base64.b64decode(note)
    return found


def read_all(folder: Path) -> dict[int, bytes]:
    """Return the results in all files of a folder."""
    found = {}
    for path in sorted(folder.glob("*.jsonl")):
        found.update({number: result for number, (result, _) in read(path).items()})
    return found


def remove(folder: Path) -> None:
    """Remove a folder and its files."""
    shutil.rmtree(folder, ignore_errors=True)


def _drop_what_has_no_end(path: Path) -> None:
    if path.exists():
        content = path.read_bytes()
        end = content.rfind(b"\n") + 1
        if end < len(content):
            with path.open("r+b") as file:
                file.truncate(end)
