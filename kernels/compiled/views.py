"""Views into the engine's flat memory: a vector or a matrix that begins at an offset.

They could be written as slices and reshapes, and as plain Python they are.  Compiled, each
becomes a handful of instructions instead of NumPy's general rules for both: the engine takes
dozens of views at each step, and its compile time is largely theirs.
"""

from numba.core import types
from numba.extending import lower_builtin, type_callable
from numba.np.arrayobj import get_itemsize, make_array, populate_array


def vector(memory, start, size):
    """Return ``size`` elements of flat ``memory``."""
    return memory[start : start + size]


def matrix(memory, start, rows, columns):
    """Return a matrix (rows, columns) that lies in flat ``memory``."""
    return memory[start : start + rows * columns].reshape((rows, columns))


def _typer_for(ndim):
    def typer(memory, *numbers):
        flat = isinstance(memory, types.Array) and memory.ndim == 1 and memory.layout == "C"
        return memory.copy(ndim=ndim) if flat else None

    return typer


@type_callable(vector)
def _type_vector(context):
    return lambda memory, start, size: _typer_for(1)(memory)


@type_callable(matrix)
def _type_matrix(context):
    return lambda memory, start, rows, columns: _typer_for(2)(memory)


@lower_builtin(vector, types.Array, types.Integer, types.Integer)
@lower_builtin(matrix, types.Array, types.Integer, types.Integer, types.Integer)
def _lower(context, builder, signature, arguments):
    memory_type, view_type = signature.args[0], signature.return_type
    memory = make_array(memory_type)(context, builder, arguments[0])
    start, *shape = (
        context.cast(builder, value, kind, types.intp)
        for value, kind in zip(arguments[1:], signature.args[1:], strict=True)
    )
    itemsize = context.get_constant(types.intp, get_itemsize(context, memory_type))
    strides = [itemsize]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(length, strides[0]))
    view = make_array(view_type)(context, builder)
    populate_array(
        view,
        data=builder.gep(memory.data, [start]),
        shape=shape,
        strides=strides,
        itemsize=itemsize,
        meminfo=memory.meminfo,
        parent=memory.parent,
    )
    return view._getvalue()
