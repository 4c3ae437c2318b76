"""Views into the engine's flat memory: a vector, or a matrix or a part of one, from an offset on.

They could be written as slices and reshapes, and as plain Python they are.  Compiled, each
becomes a handful of instructions instead of NumPy's general rules for both: the engine takes
dozens of views at each step, and its compile time is largely theirs.
"""

import numpy as np
from numba.core import types
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import get_itemsize, make_array, populate_array


def vector(memory, start, size):
    """Return ``size`` elements of flat ``memory``."""
    return memory[start : start + size]


def matrix(memory, start, rows, columns):
    """Return a matrix (rows, columns) that lies in flat ``memory``."""
    return memory[start : start + rows * columns].reshape((rows, columns))


def part(memory, start, rows, columns, stride):
    """Return a part (rows, columns) of a matrix whose rows are ``stride`` elements apart."""
    strides = (stride * memory.itemsize, memory.itemsize)
    return np.lib.stride_tricks.as_strided(memory[start:], (rows, columns), strides)


def _typer_for(ndim, layout="C"):
    def typer(memory, *numbers):
        flat = isinstance(memory, types.Array) and memory.ndim == 1 and memory.layout == "C"
        return memory.copy(ndim=ndim, layout=layout) if flat else None

    return typer


@type_callable(vector)
def _type_vector(context):
    return lambda memory, start, size: _typer_for(1)(memory)


@type_callable(matrix)
def _type_matrix(context):
    return lambda memory, start, rows, columns: _typer_for(2)(memory)


@type_callable(part)
def _type_part(context):
    return lambda memory, start, rows, columns, stride: _typer_for(2, "A")(memory)


def _view(context, builder, signature, memory, start, shape, strides):
    """Build a view; the strides count elements."""
    memory_type, view_type = signature.args[0], signature.return_type
    memory = make_array(memory_type)(context, builder, memory)
    itemsize = context.get_constant(types.intp, get_itemsize(context, memory_type))
    view = make_array(view_type)(context, builder)
    populate_array(
        view,
        data=builder.gep(memory.data, [start]),
        shape=shape,
        strides=[builder.mul(stride, itemsize) for stride in strides],
        itemsize=itemsize,
        meminfo=memory.meminfo,
        parent=memory.parent,
    )
    return view._getvalue()


def _integers(context, builder, signature, arguments):
    return [
        context.cast(builder, value, kind, types.intp)
        for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
    ]


@lower_builtin(vector, types.Array, types.Integer, types.Integer)
def _lower_vector(context, builder, signature, arguments):
    start, size = _integers(context, builder, signature, arguments)
    one = context.get_constant(types.intp, 1)
    return _view(context, builder, signature, arguments[0], start, [size], [one])


@lower_builtin(matrix, types.Array, types.Integer, types.Integer, types.Integer)
def _lower_matrix(context, builder, signature, arguments):
    start, rows, columns = _integers(context, builder, signature, arguments)
    one = context.get_constant(types.intp, 1)
    shape, strides = [rows, columns], [columns, one]
    return _view(context, builder, signature, arguments[0], start, shape, strides)


@lower_builtin(part, types.Array, types.Integer, types.Integer, types.Integer, types.Integer)
def _lower_part(context, builder, signature, arguments):
    start, rows, columns, stride = _integers(context, builder, signature, arguments)
    one = context.get_constant(types.intp, 1)
    shape, strides = [rows, columns], [stride, one]
    return _view(context, builder, signature, arguments[0], start, shape, strides)
