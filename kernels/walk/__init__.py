"""The loop over an epoch in Python, with the names that it has in ``numba`` and in ``c``."""
