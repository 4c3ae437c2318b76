"""The machine room: everything that runs per batch, per sample or per element.

Installed as ``fastmlp.kernels``.  Rooms with one contract:

``contract``   what a lowered net looks like, and the arguments of every kernel
``reference``  every operation in plain NumPy: slow, obvious, the truth
``compiled``   the same operations in Numba, and the engine that walks a table
``c``          and in C, with the same functions: optional
``walk``       the layer-by-layer path: the engine's loop in Python, for study
               and for layers that only Python can run
"""
