"""What Keras' module of that name has, and programs call; the backends are in ``backends``."""

__all__ = ["clear_session", "floatx"]


def clear_session(free_memory: bool = True) -> None:
    """Do nothing: nets share no state, and a net that is not referred to any more is freed."""


def floatx() -> str:
    """Return the dtype that nets have by default."""
    return "float32"
