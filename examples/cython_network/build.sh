#!/bin/sh
# Builds controller.pyx against the installed bpcore, in place. -march decides which instructions it uses; with any that
# have a fused multiply-add, and without contraction, its bits are those of bpcore.
set -e
include=$(python -c 'import bpcore; print(bpcore.get_include())')
export CFLAGS="-O3 -march=native -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp -I$include"
export LDFLAGS="-fopenmp"
cythonize -3 -i controller.pyx
