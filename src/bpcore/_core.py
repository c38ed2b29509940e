"""The compiled module of the chosen level, from which bpcore.kernels and bpcore.plan take their names."""

import importlib
import sys

from bpcore import level

sys.modules[__name__] = importlib.import_module(f"bpcore._core_{level()}")
