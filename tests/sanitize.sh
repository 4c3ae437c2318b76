#!/bin/sh
# Build the C kernels with GCC's address and undefined-behaviour sanitizers, in a copy of the
# sources, and run the kernel tests over them: the first error ends it.  Takes a Python that has
# what the tests need: `sh tests/sanitize.sh .venv/bin/python`.  It builds for this machine's
# processor alone and does not optimize, which takes a tenth of the time: FASTMLP_NATIVE=0 builds
# all instruction sets, CC=gcc optimizes.
set -eu
python=$(command -v "${1:-python3}")
case $python in /*) ;; *) python=$PWD/$python ;; esac
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cd "$(dirname "$0")/.."
cp -R fastmlp kernels tests pyproject.toml setup.py README.md LICENSE "$copy"
cd "$copy"
rm -f kernels/c/*.so

sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g1"
CFLAGS="$sanitizers" LDFLAGS="$sanitizers" FASTMLP_REQUIRE_C=1 \
    FASTMLP_NATIVE="${FASTMLP_NATIVE:-1}" CC="${CC:-sh $copy/tests/unoptimized.sh gcc}" \
    "$python" setup.py --quiet build_ext --inplace

# Python itself is not built with them: their runtime must come first, and what Python still holds
# when it ends is no leak of ours.
LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
    ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONPATH=$copy \
    "$python" -m pytest -q -n auto --dist loadfile -p no:cacheprovider -k "cython or test_c_binding" tests/kernels \
    tests/engine/test_determinism.py tests/engine/test_gradients.py tests/engine/test_telemetry.py
