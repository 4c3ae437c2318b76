"""Calls by address: each kernel is compiled by itself, and when a net first needs it.

The loop over an epoch is compiled once for all nets.  If it called the kernels of every layer,
loss and optimizer by name, the first training of any net would compile all of them, and optimize
each once more as a part of the loop.  So it calls them by addresses, which come with the net:
``call(softmax_forward, net.code, (x, scratch, y))``.

The types of a kernel's arguments are those of its entry in the contract.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import cache, partial
from importlib import import_module
from inspect import Parameter, Signature
from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.extending import lower_builtin, register_model, type_callable, typeof_impl

from ..contract import KERNELS, Activation, Kernel, Loss, Metric, Rule
from ..interrupts import undisturbed


class Family:
    """Kernels with the same arguments, one for each kind; a call by name begins with the kind."""

    def __init__(self, name: str, kernels: Mapping[IntEnum, Callable[..., Any]]) -> None:
        self.__name__ = name
        self.kernels = {int(kind): kernel for kind, kernel in kernels.items()}
        arguments = [Parameter("kind", Parameter.POSITIONAL_ONLY)]
        arguments += [
            Parameter(argument.split("[")[0].split(":")[0].rstrip("!?"), Parameter.POSITIONAL_ONLY)
            for argument in KERNELS[name].arguments[1:]
        ]
        self.__signature__ = Signature(arguments)

    def __call__(self, kind: int, *arguments: Any) -> Any:
        return self.kernels[int(kind)](*arguments)


FAMILIES = {
    "activation_forward": Activation,
    "activation_backward": Activation,
    "loss": Loss,
    "metric": Metric,
    "optimizer_step": Rule,
}

# Those of this backend alone.
_OWN = {
    "dense_weight_update_prefetching": Kernel(
        "dense",
        (
            "x[n, inputs]", "dy[outputs, n]", "scale", "weights![outputs, inputs]",
            "samples[count, bytes]: uint8_t", "ahead[next]: int64_t",
        ),
        (),
    ),
    "dropout_blocks": Kernel(
        "dropout",
        (
            "key: int64_t", "step: int64_t", "rate: double", "mask![size]", "first: int64_t",
            "stop: int64_t",
        ),
        (),
    ),
    "normal_blocks": Kernel(
        "dropout",
        (
            "key: int64_t", "step: int64_t", "mean: double", "deviation: double", "mask![size]",
            "first: int64_t", "stop: int64_t",
        ),
        (),
    ),
    "record_flat": Kernel(
        "telemetry",
        ("slopes[size]", "n: int64_t", "rows: int64_t", "out![fields]: double"),
        (),
    ),
}  # fmt: skip

# Those that the engine calls by name, being small, or that only Python calls.
_BY_NAME = (
    "rescale", "multiply", "add", "transpose", "gather_bytes", "gather_reals", "matmul_nn",
    "matmul_nt", "dropout_mask", "record_slopes",
)  # fmt: skip
_KERNELS = {name: kernel for name, kernel in KERNELS.items() if name not in _BY_NAME} | _OWN

# Where a matrix may be a part of a larger one, such as a thread's share of the weights.
_TAKES_PARTS = "dense"


# Where each kernel's address is among a net's; a family has as many places as it has kinds.
_PLACES: dict[str, int] = {}
PLACES = 0
for _name in _KERNELS:
    _PLACES[_name] = PLACES
    PLACES += len(FAMILIES.get(_name, (0,)))


def _type_of(argument: str, takes_parts: bool, real: Any) -> Any:
    """Return the type of an argument, as the contract writes it."""
    declared, _, kind = argument.partition(": ")
    _, bracket, axes = declared.partition("[")
    dtype = numba.from_dtype(np.dtype(kind.removesuffix("_t"))) if kind else real
    if not bracket:
        return dtype
    ndim = len(axes.split(","))
    return types.Array(dtype, ndim, "A" if takes_parts and ndim > 1 else "C")


@cache
def _types_of(name: str, real: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a kernel returns and takes, in Numba's types; one of a family, without a kind."""
    kernel = _KERNELS[name]
    arguments = kernel.arguments[name in FAMILIES :]
    returns = types.none if kernel.returns == "void" else types.float64
    takes_parts = kernel.file == _TAKES_PARTS
    return returns, tuple(_type_of(argument, takes_parts, real) for argument in arguments)


def _kernel(name: str) -> Any:
    return getattr(import_module(f".{_KERNELS[name].file}", __package__), name)


@cache
def _address(dtype: np.dtype[Any], name: str, kind: int | None) -> int:
    """Compile a kernel for reals of a dtype, and return where its machine code is."""
    kernel = _kernel(name)
    if kind is not None:
        kernel = kernel.kernels[kind]
    returns, arguments = _types_of(name, numba.from_dtype(dtype))
    if arguments not in kernel.overloads:
        undisturbed(partial(kernel.compile, arguments))
    compiled = kernel.overloads[arguments]
    assert compiled.signature.return_type == returns, (name, kind, compiled.signature)
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


def compile_into(
    code: np.ndarray[Any, Any], dtype: np.dtype[Any], name: str, kind: int | None = None
) -> None:
    """Put a kernel's address into its place in ``code``, compiled for reals of a dtype."""
    if not numba.config.DISABLE_JIT:
        code[_PLACES[name] + (kind or 0)] = _address(dtype, name, kind)


def compile_everything(dtype: np.dtype[Any]) -> None:
    """Compile all kernels that are called by address, for reals of a dtype."""
    code = np.zeros(PLACES, np.int64)
    for name in _KERNELS:
        for kind in _kernel(name).kernels if name in FAMILIES else (None,):
            compile_into(code, dtype, name, kind)


def call(kernel, code, arguments):
    """Call a kernel of the contract by its address in ``code``; a family's, by its kind."""
    return kernel(*arguments)


class _FamilyType(types.Dummy):
    def __init__(self, family: Family) -> None:
        self.kernel_name = family.__name__
        super().__init__(f"Family({family.__name__})")


register_model(_FamilyType)(models.OpaqueModel)


@typeof_impl.register(Family)
def _typeof_family(family: Family, context: Any) -> _FamilyType:
    return _FamilyType(family)


def _name_of(kernel: Any) -> str:
    """Return a kernel's name, from its type."""
    if isinstance(kernel, _FamilyType):
        return kernel.kernel_name
    return str(kernel.dispatcher.py_func.__name__)


def _types_for(kernel: Any, arguments: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return what a kernel returns and takes, reals being of the dtype of its first such array."""
    name = _name_of(kernel)
    given = arguments.types[name in FAMILIES :]
    reals = (
        value.dtype
        for value, argument in zip(given, _types_of(name, types.float32)[1], strict=True)
        if isinstance(argument, types.Array) and argument.dtype == types.float32
    )
    return _types_of(name, next(reals))


@type_callable(call)
def _type_call(context):
    def typer(kernel, code, arguments):
        returns, expected = _types_for(kernel, arguments)
        given = arguments.types[_name_of(kernel) in FAMILIES :]
        for value, argument in zip(given, expected, strict=True):
            if context.can_convert(value, argument) is None:
                raise numba.TypingError(f"{_name_of(kernel)}: {value} where {argument} is expected")
        return returns

    return typer


def _lower_call(context, builder, signature, values):
    kernel, code_type, given = signature.args
    name = _name_of(kernel)
    returns, expected = _types_for(kernel, given)
    arguments = cgutils.unpack_tuple(builder, values[2])
    place = context.get_constant(types.intp, _PLACES[name])
    if name in FAMILIES:
        kind = context.cast(builder, arguments[0], given.types[0], types.intp)
        place = builder.add(place, kind)
    skipped = name in FAMILIES
    arguments = [
        context.cast(builder, value, from_type, to_type)
        for value, from_type, to_type in zip(
            arguments[skipped:], given.types[skipped:], expected, strict=True
        )
    ]
    code = context.make_array(code_type)(context, builder, values[1])
    address = builder.load(builder.gep(code.data, [place]))
    function = context.call_conv.get_function_type(returns, expected)
    pointer = builder.inttoptr(address, function.as_pointer())
    status, result = context.call_conv.call_function(
        builder, pointer, returns, expected, arguments
    )  # fmt: skip
    with cgutils.if_unlikely(builder, status.is_error):
        context.call_conv.return_status_propagate(builder, status)
    return result


lower_builtin(call, types.Dispatcher, types.Array, types.BaseTuple)(_lower_call)
lower_builtin(call, _FamilyType, types.Array, types.BaseTuple)(_lower_call)
