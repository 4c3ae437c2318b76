# cython: language_level=3, boundscheck=False, wraparound=False
"""The C kernels for float64."""

ctypedef double REAL

include "binding.pxi"
