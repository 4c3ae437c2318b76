# cython: language_level=3, boundscheck=False, wraparound=False
"""The C kernels for float32."""

ctypedef float REAL

include "binding.pxi"
