#!/bin/sh
# A C compiler that does not optimize, whatever setup.py asks for, which takes a third of the time:
# `CC="sh tests/unoptimized.sh gcc"`, for tests of how it is built and of what memory is touched.
exec "$@" -O0
