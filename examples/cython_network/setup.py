"""Compiles controller.pyx against the bpcore that is installed.

-march decides which instructions it uses; with any that have a fused multiply-add, and without contraction, its bits
are those of bpcore. OpenMP is for the kernels' own threads; without it they run on one.
"""

import sys

from Cython.Build import cythonize
from setuptools import Extension, setup

import bpcore

FLAGS = ["-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"]
OPENMP = ["-fopenmp"] if sys.platform == "linux" else []

setup(
    ext_modules=cythonize(
        Extension(
            "controller",
            ["controller.pyx"],
            include_dirs=[bpcore.get_include()],
            extra_compile_args=[*FLAGS, *OPENMP],
            extra_link_args=OPENMP,
        ),
        language_level=3,
    )
)
