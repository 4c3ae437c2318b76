"""Explicit vectors: what register tiles are written in.

A *vector* is a piece of a row that fits a register, ``lanes(memory)`` numbers.  A *tile* is a
tuple of rows, each a tuple of vectors.  Tuples of indices say which rows and columns; as their
lengths are known when a kernel is compiled, all loops over them are unrolled there.

LLVM turns most loops over scalars into vectors by itself.  But it decides alone how many sums to
keep in registers, and how a remainder is computed; with explicit vectors the kernel decides.

A long sum in float64 is taken in a *wide* vector, of as many lanes on any machine; it is added
up with +, ``abs`` and ``fma``.

In plain Python a vector is a small array.
"""

import operator

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import lower_builtin, register_model, type_callable
from numba.np.arrayobj import make_array

from .rounding import fma, fused

# A machine's vectors, and in how many registers it holds them.
BYTES, REGISTERS = (64, 32) if llvm.get_host_cpu_features().get("avx512f") else (32, 16)

# Lanes of a wide vector: four registers of AVX2, so that four additions are under way at a time.
WIDE = 16


def lanes(memory):
    """Return how many numbers of the array fit a vector."""
    return BYTES // memory.itemsize


def lane_indices(memory):
    """Return the tuple 0, 1, ..., as long as a vector."""
    return tuple(range(lanes(memory)))


def shifted(indices, start, last):
    """Return ``start + index`` for each index, but at most ``last``."""
    return tuple(min(start + index, last) for index in indices)


def load_row(memory, i, j, columns, count):
    """Return the vectors ``columns`` of row ``i``, counted from element ``j``.

    With a ``count`` instead of None, only so many elements are read, and others are 0.
    """
    width = lanes(memory)
    return tuple(load_rows(memory, (i,), j + c * width, count)[0] for c in columns)


def load_rows(memory, rows, j, count):
    """Return the vector that begins at element ``j``, of each row; see ``load_row``."""
    vectors = np.zeros((len(rows), lanes(memory)), memory.dtype)
    size = lanes(memory) if count is None else count
    for vector, i in zip(vectors, rows, strict=True):
        vector[:size] = memory[i, j : j + size]
    return tuple(vectors)


def spread(memory, rows, j):
    """Return vectors that are filled with element ``j`` of each row."""
    return tuple(np.full(lanes(memory), memory[i, j]) for i in rows)


def zeros(memory, rows, columns):
    """Return a tile of zeros."""
    row = tuple(np.zeros(lanes(memory), memory.dtype) for _ in columns)
    return tuple(row for _ in rows)


def multiply_add(left, right, tile):
    """Return ``tile[i][j] + left[i] * right[j]``, of one rounding where the machine can."""
    return tuple(
        tuple(x + a * b for b, x in zip(right, row, strict=True))
        for a, row in zip(left, tile, strict=True)
    )


def sums(tile):
    """Return a tile with one column: each row's sums over the lanes of its vectors.

    The halves of a vector are added, then the halves of what is left: always in this order.
    """
    return tuple((np.array([_sum(vector) for vector in row]),) for row in tile)


def _sum(vector):
    while vector.size > 1:
        vector = vector[: vector.size // 2] + vector[vector.size // 2 :]
    return vector[0]


def wide(value):
    """Return a wide vector that is filled with a number."""
    return np.full(WIDE, value, np.float64)


def load_wide(memory, j, count):
    """Return a wide vector of the elements of flat ``memory`` from ``j`` on; see ``load_row``."""
    vector = np.zeros(WIDE)
    size = WIDE if count is None else count
    vector[:size] = memory[j : j + size]
    return vector


def sum_of(vector):
    """Return the sum of a vector's lanes; see ``sums``."""
    return _sum(vector)


def filled(memory, value):
    """Return a tuple of one vector that is filled with a number."""
    return (np.full(lanes(memory), value, memory.dtype),)


def scaled(tile, scale):
    """Return the tile times a number."""
    return tuple(tuple(scale * vector for vector in row) for row in tile)


def transposed(vectors):
    """Return the tile of one column whose lanes are these vectors, as many as there are lanes."""
    return tuple((row.copy(),) for row in np.array(vectors).T)


def store(tile, memory, rows, j, count):
    """Write the tile into the rows, from element ``j`` on; see ``load_row``.

    If the last of the rows is named several times, its first mention counts.
    """
    for row, i in reversed(list(zip(tile, rows, strict=True))):
        values = np.concatenate(row)[:count]
        memory[i, j : j + values.size] = values


def add_scaled(tile, scale, memory, rows, j, count):
    """Add ``scale`` times the tile to the rows, each of which may be named several times."""
    before = [memory[i].copy() for i in rows]
    for row, i, old in zip(tile, rows, before, strict=True):
        values = np.concatenate(row)[:count]
        memory[i, j : j + values.size] = old[j : j + values.size] + scale * values


def prefetch(memory, i, j):
    """Prefetch the cache line of an element: ask for it, and go on without waiting for it."""


class VectorType(types.Type):
    """A vector, for the compiler."""

    def __init__(self, scalar, lanes):
        self.scalar, self.lanes = scalar, lanes
        super().__init__(f"vector({scalar}, {lanes})")


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        scalar = manager.lookup(vector.scalar).get_value_type()
        super().__init__(manager, vector, ir.VectorType(scalar, vector.lanes))


def _vector(memory):
    return VectorType(memory.dtype, BYTES * 8 // memory.dtype.bitwidth)


def _vectors(memory, indices):
    return types.UniTuple(_vector(memory), len(indices))


def _compiles(function, result):
    """Make ``function`` known to the compiler: ``result`` types it, what is decorated builds it."""

    def decorate(build):
        type_callable(function)(lambda context: result)
        lower_builtin(function, types.VarArg(types.Any))(build)
        return build

    return decorate


class _Rows:
    """A memory's rows, as code that reads and writes vectors in them."""

    def __init__(self, context, builder, memory_type, memory, count):
        self.context, self.builder = context, builder
        self.memory_type = memory_type
        self.array = make_array(memory_type)(context, builder, memory)
        self.align = memory_type.dtype.bitwidth // 8
        self.count = count if isinstance(count.type, ir.IntType) else None

    def pointer(self, i, j):
        """The address of an element; along a row elements are contiguous, as in flat memory."""
        if i is None:
            return self.builder.gep(self.array.data, [j])
        begin = cgutils.get_item_pointer(
            self.context, self.builder, self.memory_type, self.array,
            [i, ir.Constant(i.type, 0)], wraparound=False,
        )  # fmt: skip
        return self.builder.gep(begin, [j])

    def element(self, i, j):
        return self.builder.load(
            cgutils.get_item_pointer(
                self.context, self.builder, self.memory_type, self.array, [i, j], wraparound=False
            )
        )

    def _place(self, vector, i, j):
        return self.builder.bitcast(self.pointer(i, j), vector.as_pointer())

    def _mask(self, vector):
        indices = ir.VectorType(self.count.type, vector.count)
        order = ir.Constant(indices, list(range(vector.count)))
        return self.builder.icmp_signed("<", order, _splat(self.builder, self.count, indices))

    def load(self, vector, i, j):
        place = self._place(vector, i, j)
        if self.count is None:
            return self.builder.load(place, align=self.align)
        zero = ir.Constant(vector, None)
        return self._masked("load", vector, [place, self._mask(vector), zero])

    def store(self, value, i, j):
        place = self._place(value.type, i, j)
        if self.count is None:
            self.builder.store(value, place, align=self.align)
        else:
            self._masked("store", value.type, [value, place, self._mask(value.type)])

    def _masked(self, name, vector, arguments):
        arguments.insert(1 if name == "load" else 2, ir.Constant(ir.IntType(32), self.align))
        result = vector if name == "load" else ir.VoidType()
        function = cgutils.get_or_insert_function(
            self.builder.module,
            ir.FunctionType(result, [argument.type for argument in arguments]),
            f"llvm.masked.{name}.{_suffix(vector)}.p0",
        )
        return self.builder.call(function, arguments)


def _suffix(vector):
    return f"v{vector.count}{'f32' if isinstance(vector.element, ir.FloatType) else 'f64'}"


def _splat(builder, scalar, vector):
    undefined = ir.Constant(vector, ir.Undefined)
    single = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return _shuffle(builder, single, undefined, [0] * vector.count)


def _shuffle(builder, first, second, lanes):
    order = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), lanes)
    return builder.shuffle_vector(first, second, order)


def _unpack(builder, tile):
    return [cgutils.unpack_tuple(builder, row) for row in cgutils.unpack_tuple(builder, tile)]


def _pack(context, builder, tile_type, tile):
    rows = [context.make_tuple(builder, tile_type.dtype, row) for row in tile]
    return context.make_tuple(builder, tile_type, rows)


@_compiles(lanes, lambda memory: types.intp)
def _lanes(context, builder, signature, arguments):
    return context.get_constant(types.intp, _vector(signature.args[0]).lanes)


@_compiles(lane_indices, lambda memory: types.UniTuple(types.intp, _vector(memory).lanes))
def _lane_indices(context, builder, signature, arguments):
    indices = [context.get_constant(types.intp, i) for i in range(len(signature.return_type))]
    return context.make_tuple(builder, signature.return_type, indices)


@_compiles(shifted, lambda indices, start, last: types.UniTuple(types.intp, len(indices)))
def _shifted(context, builder, signature, arguments):
    indices, start, last = arguments
    result = []
    for index in cgutils.unpack_tuple(builder, indices):
        value = builder.add(start, index)
        result.append(builder.select(builder.icmp_signed("<", value, last), value, last))
    return context.make_tuple(builder, signature.return_type, result)


@_compiles(load_row, lambda memory, i, j, columns, count: _vectors(memory, columns))
def _load_row(context, builder, signature, arguments):
    memory, i, j, columns, count = arguments
    rows = _Rows(context, builder, signature.args[0], memory, count)
    vector = context.get_value_type(signature.return_type.dtype)
    width = ir.Constant(j.type, vector.count)
    begins = [builder.add(j, builder.mul(c, width)) for c in cgutils.unpack_tuple(builder, columns)]
    loaded = [rows.load(vector, i, begin) for begin in begins]
    return context.make_tuple(builder, signature.return_type, loaded)


@_compiles(load_rows, lambda memory, rows, j, count: _vectors(memory, rows))
def _load_rows(context, builder, signature, arguments):
    memory, indices, j, count = arguments
    rows = _Rows(context, builder, signature.args[0], memory, count)
    vector = context.get_value_type(signature.return_type.dtype)
    loaded = [rows.load(vector, i, j) for i in cgutils.unpack_tuple(builder, indices)]
    return context.make_tuple(builder, signature.return_type, loaded)


@_compiles(spread, lambda memory, rows, j: _vectors(memory, rows))
def _spread(context, builder, signature, arguments):
    memory, indices, j = arguments
    rows = _Rows(context, builder, signature.args[0], memory, context.get_dummy_value())
    vector = context.get_value_type(signature.return_type.dtype)
    filled = [
        _splat(builder, rows.element(i, j), vector) for i in cgutils.unpack_tuple(builder, indices)
    ]
    return context.make_tuple(builder, signature.return_type, filled)


@_compiles(
    zeros,
    lambda memory, rows, columns: types.UniTuple(_vectors(memory, columns), len(rows)),
)
def _zeros(context, builder, signature, arguments):
    return context.get_constant_null(signature.return_type)


@_compiles(multiply_add, lambda left, right, tile: tile)
def _multiply_add(context, builder, signature, arguments):
    left, right = (cgutils.unpack_tuple(builder, vectors) for vectors in arguments[:2])
    tile = [
        [fused(builder, a, b, x) for b, x in zip(right, row, strict=True)]
        for a, row in zip(left, _unpack(builder, arguments[2]), strict=True)
    ]
    return _pack(context, builder, signature.return_type, tile)


def _column_of_sums(tile):
    of_one_row = VectorType(tile.dtype.dtype.scalar, len(tile.dtype))
    return types.UniTuple(types.UniTuple(of_one_row, 1), len(tile))


@_compiles(sums, _column_of_sums)
def _sums(context, builder, signature, arguments):
    (tile,) = arguments
    column = [[_sums_of(builder, row)] for row in _unpack(builder, tile)]
    return _pack(context, builder, signature.return_type, column)


def _sums_of(builder, vectors):
    """Halve one or more vectors side by side, until a lane is left of each."""
    part = vectors[0].type.count
    while part > 1:
        pairs = [vectors[i : i + 2] for i in range(0, len(vectors), 2)]
        vectors = []
        for pair in pairs:
            first, second = pair[0], pair[-1]
            begins = range(0, len(pair) * first.type.count, part)
            low = [begin + lane for begin in begins for lane in range(part // 2)]
            high = [lane + part // 2 for lane in low]
            vectors.append(
                builder.fadd(
                    _shuffle(builder, first, second, low), _shuffle(builder, first, second, high)
                )
            )
        part //= 2
    return vectors[0]


_WIDE = VectorType(types.float64, WIDE)


@_compiles(wide, lambda value: _WIDE)
def _wide(context, builder, signature, arguments):
    value = context.cast(builder, arguments[0], signature.args[0], types.float64)
    return _splat(builder, value, context.get_value_type(_WIDE))


@_compiles(load_wide, lambda memory, j, count: _WIDE)
def _load_wide(context, builder, signature, arguments):
    memory, j, count = arguments
    rows = _Rows(context, builder, signature.args[0], memory, count)
    element = context.get_value_type(signature.args[0].dtype)
    loaded = rows.load(ir.VectorType(element, WIDE), None, j)
    doubles = context.get_value_type(_WIDE)
    return loaded if loaded.type == doubles else builder.fpext(loaded, doubles)


@_compiles(sum_of, lambda vector: vector.scalar)
def _sum_of(context, builder, signature, arguments):
    total = _sums_of(builder, arguments)
    return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))


@_compiles(filled, lambda memory, value: types.UniTuple(_vector(memory), 1))
def _filled(context, builder, signature, arguments):
    kind = signature.return_type
    value = context.cast(builder, arguments[1], signature.args[1], signature.args[0].dtype)
    vector = _splat(builder, value, context.get_value_type(kind.dtype))
    return context.make_tuple(builder, kind, [vector])


@type_callable(operator.add)
@type_callable(operator.sub)
@type_callable(operator.mul)
def _type_arithmetic(context):
    return lambda a, b: a if isinstance(a, VectorType) and a == b else None


@type_callable(abs)
def _type_abs(context):
    return lambda vector: vector if isinstance(vector, VectorType) else None


@lower_builtin(operator.add, VectorType, VectorType)
def _add(context, builder, signature, arguments):
    return builder.fadd(*arguments)


@lower_builtin(operator.sub, VectorType, VectorType)
def _subtract(context, builder, signature, arguments):
    return builder.fsub(*arguments)


@lower_builtin(operator.mul, VectorType, VectorType)
def _multiply(context, builder, signature, arguments):
    return builder.fmul(*arguments)


@lower_builtin(abs, VectorType)
def _absolute(context, builder, signature, arguments):
    kind = arguments[0].type
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(kind, [kind]), f"llvm.fabs.{_suffix(kind)}"
    )
    return builder.call(function, arguments)


@lower_builtin(fma, VectorType, VectorType, VectorType)
def _fma(context, builder, signature, arguments):
    return fused(builder, *arguments)


@_compiles(scaled, lambda tile, scale: tile)
def _scaled(context, builder, signature, arguments):
    tile, scale = arguments
    rows = _unpack(builder, tile)
    factor = _splat(builder, scale, rows[0][0].type)
    rows = [[builder.fmul(vector, factor) for vector in row] for row in rows]
    return _pack(context, builder, signature.return_type, rows)


@_compiles(
    transposed,
    lambda vectors: types.UniTuple(types.UniTuple(vectors.dtype, 1), len(vectors)),
)
def _transposed(context, builder, signature, arguments):
    """Swap halves of pairs of rows, then quarters, and so on down to single lanes."""
    rows = cgutils.unpack_tuple(builder, arguments[0])
    width = half = len(rows)
    while half > 1:
        half //= 2
        for i in range(width):
            if i & half:
                continue
            first, second = rows[i], rows[i + half]
            upper = [lane if not lane & half else width + lane - half for lane in range(width)]
            lower = [lane + half if not lane & half else width + lane for lane in range(width)]
            rows[i] = _shuffle(builder, first, second, upper)
            rows[i + half] = _shuffle(builder, first, second, lower)
    return _pack(context, builder, signature.return_type, [[row] for row in rows])


@_compiles(store, lambda tile, memory, rows, j, count: types.none)
def _store(context, builder, signature, arguments):
    tile, memory, indices, j, count = arguments
    rows = _Rows(context, builder, signature.args[1], memory, count)
    places = cgutils.unpack_tuple(builder, indices)
    for row, i in reversed(list(zip(_unpack(builder, tile), places, strict=True))):
        for vector, begin in zip(row, _begins(builder, row, j), strict=True):
            rows.store(vector, i, begin)
    return context.get_dummy_value()


@_compiles(add_scaled, lambda tile, scale, memory, rows, j, count: types.none)
def _add_scaled(context, builder, signature, arguments):
    tile, scale, memory, indices, j, count = arguments
    rows = _Rows(context, builder, signature.args[2], memory, count)
    tile = _unpack(builder, tile)
    factor = _splat(builder, scale, tile[0][0].type)
    sums = []  # all read before the first is written
    for row, i in zip(tile, cgutils.unpack_tuple(builder, indices), strict=True):
        for vector, begin in zip(row, _begins(builder, row, j), strict=True):
            before = rows.load(vector.type, i, begin)
            sums.append((fused(builder, factor, vector, before), i, begin))
    for value, i, begin in sums:
        rows.store(value, i, begin)
    return context.get_dummy_value()


def _begins(builder, row, j):
    """Where in a row of memory each vector of a tile's row lies."""
    return [
        builder.add(j, ir.Constant(j.type, column * vector.type.count))
        for column, vector in enumerate(row)
    ]


@_compiles(prefetch, lambda memory, i, j: types.none)
def _prefetch(context, builder, signature, arguments):
    memory, i, j = arguments
    rows = _Rows(context, builder, signature.args[0], memory, context.get_dummy_value())
    place = rows.pointer(i, j)
    integer = ir.IntType(32)
    function = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(ir.VoidType(), [place.type, integer, integer, integer]),
        "llvm.prefetch.p0",
    )
    # To be read, into the second-level cache (the first is full of what is in use), as data.
    builder.call(function, [place, *(ir.Constant(integer, number) for number in (0, 2, 1))])
    return context.get_dummy_value()
