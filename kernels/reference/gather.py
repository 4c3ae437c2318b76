"""Reading the batch's samples from wherever they lie in the data set."""


def gather_bytes(data, rows, scale, offset, out):
    out[:] = data[rows].astype(out.dtype) * scale + offset


def gather_reals(data, rows, scale, offset, out):
    out[:] = data[rows] * scale + offset
