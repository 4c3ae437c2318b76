"""What pyproject.toml cannot say: where `kernels` is installed, and how its C part is built.

The folder `kernels` is installed as `fastmlp.kernels`.  Its C part is optional: without a C
compiler, the install succeeds without it.  Environment variables decide otherwise:

FASTMLP_BUILD_C=0    do not build it
FASTMLP_REQUIRE_C=1  fail if it cannot be built
FASTMLP_NATIVE=1     build it for this machine's CPU alone
"""

import os
import runpy
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError

SOURCES = "kernels/c"
_sources = runpy.run_path(f"{SOURCES}/sources.py")  # a build has no fastmlp to import it from
digest, sources = _sources["digest"], _sources["sources"]
write_contract = runpy.run_path(f"{SOURCES}/generate.py")["write"]

# No flag may promise the absence of NaN or infinity: a run that diverges must be noticed.  Products
# and sums are fused where the kernels say so and nowhere else: see vector.h.  Without
# partial redundancy elimination, which computes more addresses ahead than there are registers, and
# with loops that begin at a cache line, a small net's step takes 3 % less time, a wide one's 2 %.
FLAGS = [
    "-std=c11", "-O3", "-fno-tree-pre", "-falign-loops=64", "-ffp-contract=off",
    "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden", "-g0", "-Wno-psabi",
]  # fmt: skip

AVX2 = ["-mavx2", "-mfma"]
AVX512 = [f"-mavx512{part}" for part in ("f", "bw", "dq", "vl")] + ["-mprefer-vector-width=512"]


def instruction_sets() -> dict[str, list[str]]:
    """Return what the kernels are compiled for, with the flags; one is chosen at run time."""
    if is_set("FASTMLP_NATIVE"):
        return {"native": ["-march=native"]}
    if sysconfig.get_platform().endswith(("x86_64", "amd64")):
        return {"baseline": [], "avx2": AVX2, "avx512": AVX2 + AVX512}
    return {"baseline": []}


def is_set(variable: str) -> bool:
    return os.environ.get(variable, "0") not in ("", "0")


class BuildKernels(build_ext):
    """Compile the kernels for each instruction set, and the binding; or do without."""

    def finalize_options(self) -> None:
        super().finalize_options()
        self.parallel = self.parallel or True

    def run(self) -> None:
        try:
            # Here and not where an extension is built: Cython is not made for two threads.
            from Cython.Build import cythonize

            generated = f"{self.build_temp}/contract"
            write_contract(Path(generated))
            for extension in self.extensions:
                extension.include_dirs = [SOURCES, generated]
            translated = cythonize(
                self.extensions, build_dir=self.build_temp, include_path=[generated]
            )
            for extension, new in zip(self.extensions, translated, strict=True):
                extension.sources = new.sources
            super().run()
        except Exception as reason:
            if is_set("FASTMLP_REQUIRE_C"):
                raise
            # What an earlier build has left is of other sources.
            build_py = self.get_finalized_command("build_py")
            for extension in self.extensions:
                for output in self._get_inplace_equivalent(build_py, extension):
                    Path(output).unlink(missing_ok=True)
            self.extensions = []
            print(f"fastmlp: the C kernels cannot be built ({reason}); the install does without.")

    def build_extension(self, extension: Extension) -> None:
        if self.compiler.compiler_type == "msvc":
            raise CompileError("they are written for GCC or Clang")
        for name, flags in instruction_sets().items():
            extension.extra_objects += self.compiler.compile(
                [f"{SOURCES}/all.c"],
                output_dir=f"{self.build_temp}/{extension.name}-{name}",
                macros=[*extension.define_macros, ("FASTMLP_ISA", name)],
                include_dirs=extension.include_dirs,
                extra_postargs=FLAGS + flags,
            )
        super().build_extension(extension)


def binding(dtype: str) -> Extension:
    macros = [
        ("REAL_IS_FLOAT", "1" if dtype == "f32" else "0"),
        ("FASTMLP_SOURCES", f'"{digest(Path(SOURCES))}"'),
    ]
    if is_set("FASTMLP_NATIVE"):
        macros.append(("FASTMLP_NATIVE", "1"))
    return Extension(
        f"fastmlp.kernels.c.{dtype}",
        [f"{SOURCES}/{dtype}.pyx"],
        extra_compile_args=["-O1", "-g0"],  # no time is spent in it
        define_macros=macros,
        depends=[str(path) for path in sources(Path(SOURCES))],
    )


builds_kernels = os.environ.get("FASTMLP_BUILD_C", "1") != "0"
if not builds_kernels:
    print("fastmlp: FASTMLP_BUILD_C=0, so the C kernels are not built.")

setup(
    packages=[
        *find_packages(include=["fastmlp", "fastmlp.*"]),
        "fastmlp.kernels",
        *(f"fastmlp.kernels.{name}" for name in find_packages("kernels")),
    ],
    package_dir={"fastmlp": "fastmlp", "fastmlp.kernels": "kernels"},
    package_data={
        "fastmlp": ["py.typed"],
        "fastmlp.pages": ["static/*", "vendor/*"],
        "fastmlp.playground": ["static/*"],
        "fastmlp.kernels.c": ["*.c", "*.h", "*.pxi", "*.pyx"],
    },
    ext_modules=[binding("f32"), binding("f64")] if builds_kernels else [],
    cmdclass={"build_ext": BuildKernels},
)
