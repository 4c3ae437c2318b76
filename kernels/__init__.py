"""The machine room: everything that runs per batch, per sample or per element.

Installed as ``fastmlp.kernels``.  Rooms with one contract:

``contract``   what a lowered net looks like, and the arguments of every kernel
``reference``  every operation in plain NumPy: slow, obvious, the truth
``numba``      the same operations in Numba, and the engine that walks a table
``c``          and in C, with the same functions: optional
``walk``       the engine's loop in Python, on the kernels of any of them: for study,
               and for layers that only Python can run

An engine is in three files: ``rows`` takes one row of the table forward and back, ``epoch`` runs
the batches through all of them, and ``probe`` moves single parameters for numeric gradients.
"""
