"""A fork waits until no other thread is importing a module of these packages.

They import what is seldom needed where it is needed. In a child that was forked meanwhile such a module would stay
locked by a thread that is not there, and whoever needed it would wait for ever.
"""

import importlib
import os
from contextlib import suppress

PACKAGES = ("backprop.", "bpcore.")
# How often it waits: whoever has imported one module may go on with the next.
MOST = 100


def _finish_imports() -> None:
    # Python tells nobody which modules are being imported.
    locked = getattr(getattr(importlib, "_bootstrap", None), "_module_locks", ())
    for _ in range(MOST):
        found = [name for name in list(locked) if name.startswith(PACKAGES)]
        if not found:
            return
        for name in found:
            with suppress(Exception):  # whoever imports it is told
                importlib.import_module(name)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_finish_imports)
