"""What bpcore.kernels and bpcore.plan show of the one module that is compiled for both: names, signatures, pickles."""

import ast
import copy
import inspect
import pickle
from pathlib import Path

import pytest

import bpcore
from bpcore import kernels, plan
from tests.core.test_levels import BUILT, run

each_module = pytest.mark.parametrize("module", [kernels, plan], ids=["kernels", "plan"])
TYPES = [kernels.Entry, plan.Plan, plan.Update]
FUNCTIONS = [name for name in kernels.__all__ if name != "Entry"]


def names_of_stub(name):
    """The public names that the stub of a module declares."""
    for part in ast.parse(Path(bpcore.get_include(), f"{name}.pyi").read_text(encoding="utf-8")).body:
        if isinstance(part, ast.ClassDef | ast.FunctionDef):
            yield part.name
        elif isinstance(part, ast.AnnAssign) and not part.target.id.startswith("_"):
            yield part.target.id


@each_module
def test_a_module_shows_what_its_stub_declares_and_nothing_else(module):
    package, _, name = module.__name__.partition(".")
    assert package == "bpcore"
    assert sorted(names_of_stub(name)) == sorted(module.__all__)
    assert [shown for shown in dir(module) if not shown.startswith("__")] == sorted(module.__all__)


def test_nothing_names_its_level():
    assert {"affine_forward", "multiply_adds", "has_threads", "adam_update"} <= set(FUNCTIONS)
    for name in FUNCTIONS:
        kernel = getattr(kernels, name)
        assert (kernel.__module__, kernel.__qualname__) == ("bpcore.kernels", name)
        assert pickle.loads(pickle.dumps(kernel)) is copy.copy(kernel) is copy.deepcopy(kernel) is kernel
        assert b"bpcore.kernels\x94" in pickle.dumps(kernel, protocol=4)
    for shown in TYPES:
        assert getattr(bpcore, shown.__module__.partition(".")[2]) in (kernels, plan)
        assert pickle.loads(pickle.dumps(shown)) is shown
        for one in shown.__mro__[:-1]:
            assert "_core" not in repr(one)
            for member in vars(one).values():
                assert "_core" not in str(getattr(member, "__module__", "")) + repr(member)


def test_plans_and_updates_are_not_pickled():
    with pytest.raises(TypeError, match="cannot pickle 'bpcore.plan.Update' object"):
        pickle.dumps(plan.Update("sgd", (0.1, 0.0, 0.0, 0.0)))


@pytest.mark.parametrize("level", [level for level in BUILT if level in bpcore.cpu_info()["usable"]])
def test_a_pickled_kernel_is_read_on_another_level(level):
    written = pickle.dumps(kernels.sum_rows)
    done = run(
        f"import pickle, bpcore; k = pickle.loads({written!r}); print(k is bpcore.kernels.sum_rows)",
        BACKPROP_ISA=level,
    )
    assert done.stdout == "True\n", done.stderr


def test_the_signatures_are_those_of_the_arguments():
    assert str(inspect.signature(kernels.affine_forward)) == "(x, W, b, out, threads=None)"
    assert str(inspect.signature(kernels.has_threads)) == "()"
    assert inspect.signature(kernels.Entry) == inspect.Signature()  # nobody makes one
    with pytest.raises(TypeError, match="entries are made when bpcore.kernels is imported"):
        kernels.Entry()
