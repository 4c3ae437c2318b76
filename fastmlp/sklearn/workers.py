"""How many threads a fit may use where joblib runs several at once."""

from joblib.parallel import get_active_backend


def threads_here() -> int | None:
    """Return 1 in a worker of joblib, be it a thread or a process; None elsewhere.

    There the workers share the cores among them already; the bits are the same either way.
    """
    backend, _ = get_active_backend()
    return 1 if (backend.nesting_level or 0) > 0 else None
