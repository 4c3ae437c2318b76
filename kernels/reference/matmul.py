"""The two matrix products."""


def matmul_nn(a, b, scale, out):
    """Add ``scale * a @ b`` to ``out``: (m, k), (k, n) -> (m, n)."""
    out += scale * (a @ b)


def matmul_nt(a, b, scale, out):
    """Add ``scale * a @ b.T`` to ``out``: (m, k), (n, k) -> (m, n)."""
    out += scale * (a @ b.T)
