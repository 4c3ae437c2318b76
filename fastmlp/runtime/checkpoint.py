"""Files with the tensors of a net: safetensors, with all else as JSON in their metadata.

A file is written aside and renamed, so that there is the old one or the new one.  It holds the
SHA-256 of all its bytes, those of the sum itself taken as zeros: what is damaged anywhere is
refused.  Nothing in a file is ever run.
"""

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from .tensors import Array

FORMAT = 1  # of what the metadata mean; to be raised when older versions could not read them
_NO_SUM = "0" * 64
_LENGTH = 8  # bytes that say how long the header is


def write(
    filepath: str | os.PathLike[str],
    content: dict[str, Any],
    tensors: dict[str, Array],
    overwrite: bool = True,
) -> None:
    """Write a file.

    Raises
    ------
    FileExistsError
        If there is a file, and it must not be overwritten.
    FileNotFoundError
        If there is no such folder.
    TypeError
        If ``filepath`` is no path.
    """
    from safetensors.numpy import save

    path = path_of(filepath)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"filepath: there is no folder {str(path.parent)!r}")
    if not overwrite and path.exists():
        raise FileExistsError(f"filepath: {str(path)!r} exists, and overwrite is False")
    metadata = {"fastmlp": json.dumps(content), "format": str(FORMAT), "sha256": _NO_SUM}
    data = _in_order(save(tensors, metadata))
    start = _place_of_sum(data, _NO_SUM)
    data[start : start + 64] = hashlib.sha256(data).hexdigest().encode()
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with aside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()


def read(filepath: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return what :func:`write` has written to a file.

    Raises
    ------
    FileNotFoundError
        If there is none.
    TypeError
        If ``filepath`` is no path.
    ValueError
        If the file was not written by fastmlp, by a newer one, or is damaged.
    """
    path = path_of(filepath)
    data = bytearray(path.read_bytes())
    metadata = _metadata_of(path, data)
    said = metadata["sha256"]
    with contextlib.suppress(ValueError):
        start = _place_of_sum(data, said)
        data[start : start + 64] = _NO_SUM.encode()
    if hashlib.sha256(data).hexdigest() != said:
        raise ValueError(f"filepath: {str(path)!r} is damaged: its checksum does not fit")
    if int(metadata["format"]) > FORMAT:
        raise ValueError(
            f"filepath: {str(path)!r} was written by a newer version of fastmlp, in format "
            f"{metadata['format']}; this one reads formats up to {FORMAT}"
        )
    from safetensors.numpy import load

    content: dict[str, Any] = json.loads(metadata["fastmlp"])
    return content, load(bytes(data))


def path_of(filepath: object) -> Path:
    """Return a path, to the file itself if it is a link.

    Raises
    ------
    TypeError
        If it is no path.
    """
    if not isinstance(filepath, (str, os.PathLike)) or not str(filepath):
        raise TypeError(f"filepath: expected a path, got {filepath!r}")
    return Path(os.path.realpath(filepath))


def _in_order(data: bytes) -> bytearray:
    """Return a file with its header in alphabetical order: the library's own changes each time."""
    end = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    header = json.loads(data[_LENGTH:end])
    text = json.dumps(header, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 8)  # so that the tensors lie aligned
    return bytearray(len(text).to_bytes(_LENGTH, "little") + text + data[end:])


def _place_of_sum(data: bytearray, value: str) -> int:
    """Return where the sum begins: it is the only thing in a header that has this form."""
    before = b'"sha256":"'
    return data.index(before + value.encode() + b'"') + len(before)


def _metadata_of(path: Path, data: bytearray) -> dict[str, str]:
    """Return the metadata of a safetensors file that fastmlp wrote."""
    if data[:4] == b"PK\3\4" or data[:8] == b"\x89HDF\r\n\x1a\n":
        raise ValueError(
            f"filepath: {str(path)!r} is a file of Keras, which fastmlp can't read; get_weights "
            "of the one and set_weights of the other take the weights over"
        )
    size = int.from_bytes(data[:_LENGTH], "little")
    try:
        header = json.loads(bytes(data[_LENGTH : _LENGTH + size]))
        metadata = header["__metadata__"]
        is_ours = all(isinstance(metadata[key], str) for key in ("fastmlp", "format", "sha256"))
    except (ValueError, RecursionError, KeyError, TypeError):
        is_ours = False
    if not is_ours:
        raise ValueError(
            f"filepath: {str(path)!r} is not a file that fastmlp wrote, or its beginning is damaged"
        )
    found: dict[str, str] = metadata
    return found
