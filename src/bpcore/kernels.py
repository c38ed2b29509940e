"""The kernels: this name stands for the module of the level that was chosen."""

import sys

from bpcore import _compiled

sys.modules[__name__] = _compiled("kernels")
