"""The IDX parser: what it reads, and what it refuses."""

import struct

import numpy as np
import pytest

from fastmlp.datasets import idx


def idx_bytes(array, code=8):
    return (
        bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    ) + array.tobytes()


@pytest.mark.parametrize("shape", [(3,), (2, 5), (4, 3, 2), (0,)])
def test_what_was_written_is_read(shape):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    parsed = idx.parse(idx_bytes(array), "some-file")
    assert parsed.dtype == np.uint8
    np.testing.assert_array_equal(parsed, array, strict=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected an IDX file"),
        (b"<html>503</html>", "expected an IDX file"),
        (idx_bytes(np.zeros(3, np.uint8), code=0x0D), "type code 0x08"),
        (bytes([0, 0, 8, 0]), "1 to 32 axes, got 0"),
        (bytes([0, 0, 8, 255]) + bytes(4 * 255), "1 to 32 axes, got 255"),
        (idx_bytes(np.zeros((2, 3), np.uint8))[:9], "header of 12 bytes"),
        (idx_bytes(np.zeros((2, 3), np.uint8))[:-1], "truncated"),
        (idx_bytes(np.zeros((2, 3), np.uint8)) + b"x", "follows"),
    ],
)
def test_a_broken_file_is_refused_by_name(content, message):
    with pytest.raises(ValueError, match=f"some-file: .*{message}"):
        idx.parse(content, "some-file")
