"""The kernel ladder: from the naive loop to the shipped kernel, each step shown and measured.

``python -m fastmlp.kernels`` prints it, and ``docs/kernels.md`` walks through it.  Nothing that
trains a net imports this.
"""
