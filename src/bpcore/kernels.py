"""The kernels: an alias of the module of the chosen level."""

import sys

from bpcore import _compiled

sys.modules[__name__] = _compiled("kernels")
