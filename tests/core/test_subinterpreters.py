"""The modules belong to one interpreter of a process; another one that imports them is refused."""

import importlib.util
import subprocess
import sys

import pytest

# As the standard library has called it since 3.13, and before.
MODULE = next(
    (name for name in ("_interpreters", "_xxsubinterpreters") if importlib.util.find_spec(name)), None
)

CODE = f"""
import {MODULE} as interpreters
import bpcore
interpreters.run_string(interpreters.create(), '''
import warnings
warnings.simplefilter("ignore")  # NumPy's, of the same
try:
    import bpcore
except ImportError as error:
    print("refused:", error)
''')
print(bpcore.kernels.multiply_adds("float32", 1, 1) > 0)
"""


@pytest.mark.skipif(MODULE is None, reason="this Python has no module for interpreters")
def test_a_second_interpreter_is_refused():
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    refused, works = done.stdout.splitlines()
    assert refused.startswith("refused: ")
    assert "interpreter" in refused
    assert works == "True"
