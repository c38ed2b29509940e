"""The package of a loss of one's own, built by CMake against the installed package, once per level."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
import bpcore
from tests.blocks import blocks_of

ROOT = Path(__file__).parents[2]
EXAMPLE, PAGE = ROOT / "examples" / "policy_gradient", ROOT / "docs" / "how-to" / "use-from-cython.md"
USABLE = [level for level in bpcore.cpu_info()["built"] if level in bpcore.cpu_info()["usable"]]
RUN = """
import sys
import numpy as np, policy_gradient
with np.load("given.npz") as file:
    given = dict(file)
params = [given[key] for key in ("W1", "b1", "W2", "b2")]
policy = policy_gradient.Policy(*params, len(given["x"]))
scores = np.empty((len(given["x"]), 3), "f4")
policy.scores(given["x"], scores)
losses = [policy.step(given["x"], given["actions"], given["advantages"], 0.1) for _ in range(5)]
np.savez("made.npz", scores=scores, losses=losses, **dict(zip(("W1", "b1", "W2", "b2"), params)))
print(policy_gradient.Policy.__module__)
"""


def install(folder):
    """Have pip install the project into a folder, against the bpcore that is installed; nothing is fetched."""
    project = shutil.copytree(EXAMPLE, folder / "project")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
    command = [*pip, "--no-build-isolation", "--no-deps", "--target", folder / "installed", project]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "installed"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The package with the chosen level alone, without the optimisations that take most of the time."""
    level = bpcore.level()
    options = [f"BPCORE_ONLY={level}", "CMAKE_C_FLAGS_RELEASE=-O1"]
    # Not by -C, which the pip of a new environment may be too old for.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SKBUILD_CMAKE_DEFINE", ";".join(options))
        folder = install(tmp_path_factory.mktemp("package"))
    assert [path.name.split(".")[0] for path in folder.glob("policy_gradient/*.so")] == [f"_core_{level}"]
    return folder


def given_and_wanted():
    """Parameters and a batch; and what the layers of backprop make of them in five steps."""
    net = bp.Network([5, 9, 3], activation="tanh", seed=0)
    rng = np.random.default_rng(0)
    x, actions = rng.normal(size=(17, 5)).astype(np.float32), rng.integers(0, 3, 17)
    advantages = rng.normal(size=17).astype(np.float32)
    given = dict(x=x, actions=actions, advantages=advantages, **{k: v.copy() for k, v in net.params.items()})
    wanted = {"scores": net.predict(x), "losses": []}
    loss = bp.SoftmaxWithLoss()
    for _ in range(5):
        scores = x
        for layer in net.layers.values():
            scores = layer.forward(scores)
        dout, total = np.empty_like(scores), 0.0
        for r in range(len(x)):
            total += float(advantages[r]) * loss.forward(scores[r : r + 1], actions[r : r + 1])
            dout[r] = loss.backward(advantages[r] / np.float32(len(x)))
        for layer in reversed(net.layers.values()):
            dout = layer.backward(dout)
        first, last = net.layers["Affine1"], net.layers["Affine2"]
        grads = {"W1": first.dW, "b1": first.db, "W2": last.dW, "b2": last.db}
        bp.SGD(0.1).update(net.params, grads)
        wanted["losses"].append(total / len(x))
    return given, {**wanted, **net.params}


def run(code, installed, folder, level):
    environment = {**os.environ, "PYTHONPATH": str(installed), "BACKPROP_ISA": level}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def has_the_bits_of_the_layers(installed, folder, level):
    given, wanted = given_and_wanted()
    np.savez(folder / "given.npz", **given)
    assert run(RUN, installed, folder, level) == f"policy_gradient._core_{level}\n"
    with np.load(folder / "made.npz") as made:
        assert {key for key in wanted if not np.array_equal(made[key], wanted[key])} == set()


def test_a_loss_of_ones_own_has_the_bits_of_the_layers(installed, tmp_path):
    has_the_bits_of_the_layers(installed, tmp_path, bpcore.level())


def test_what_the_documentation_does_with_it(installed, tmp_path):
    (block,) = [block for _, block in blocks_of(PAGE, "python") if "policy_gradient" in block]
    reward = float(run(block, installed, tmp_path, bpcore.level()))
    # Half of the actions would be right by chance.
    assert reward > 0.9


WRONG = {
    "policy.scores(x[:, :3].copy(), out)": "x has shape (4, 3), wanted 1 to 4 rows of 5",
    "policy.scores(np.vstack([x, x]), out)": "x has shape (8, 5), wanted 1 to 4 rows of 5",
    "policy.scores(x, out[:3])": "out has shape (3, 3), wanted (4, 3)",
    "policy.step(x, t + 1, a, 0.1)": "action 3 of row 2, wanted 0 to 2",
    "policy.step(x, t[:3], a, 0.1)": "3 actions and 4 advantages, wanted 4 of each",
    "policy.step(x, t, a[:1], 0.1)": "4 actions and 1 advantages, wanted 4 of each",
    "Policy(W1, b1[:2], W2, b2, 4)": "W1 (I, H), b1 (H,), W2 (H, K) and b2 (K,) do not fit each other",
    "Policy(W1, b1, W2, b2, 0)": "a layer or the batch is empty",
}


def test_what_is_wrong_raises(installed, tmp_path):
    code = f"""
import numpy as np
from policy_gradient import Policy
W1, b1, W2, b2 = (np.zeros(shape, "f4") for shape in ((5, 9), 9, (9, 3), 3))
x, t, a, out = np.zeros((4, 5), "f4"), np.array([0, 1, 2, 0]), np.zeros(4, "f4"), np.zeros((4, 3), "f4")
policy = Policy(W1, b1, W2, b2, 4)
for call in {list(WRONG)}:
    try:
        eval(call)
    except ValueError as error:
        print(error)
"""
    assert run(code, installed, tmp_path, bpcore.level()).splitlines() == list(WRONG.values())


@pytest.mark.compilers
def test_every_level_is_built_and_has_the_bits_of_the_layers(tmp_path):
    installed = install(tmp_path)
    built = sorted(path.name.split(".")[0] for path in installed.glob("policy_gradient/*.so"))
    assert built == [f"_core_{level}" for level in sorted(bpcore.cpu_info()["built"])]
    for level in USABLE:
        folder = tmp_path / level
        folder.mkdir()
        if level in ("v3", "v4", "neon"):
            has_the_bits_of_the_layers(installed, folder, level)
        else:
            np.savez(folder / "given.npz", **given_and_wanted()[0])
            run(RUN, installed, folder, level)


FOLDER = re.compile(r"(one|many)_(\w+)\.dir")


def configure(folder, *calls):
    """What CMake says of a project with these calls, which have m.pyx and more.c."""
    text = (EXAMPLE / "CMakeLists.txt").read_text(encoding="utf-8").partition("bpcore_add_module")[0]
    (folder / "CMakeLists.txt").write_text("\n".join([text, *calls]), encoding="utf-8")
    for name in ("m.pyx", "more.c"):
        (folder / name).touch()
    options = [f"-DPython_EXECUTABLE={sys.executable}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"]
    command = [sys.executable, "-m", "cmake", *options, "-S", ".", "-B", "build"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", ["a.b SOURCES more.c", "a.b SOURCES m.pyx n.pyx", "a.b m.pyx"])
def test_a_wrong_call_in_cmake_says_what_is_wanted(arguments, tmp_path):
    done = configure(tmp_path, f"bpcore_add_module({arguments})")
    assert done.returncode != 0
    said = " ".join(done.stderr.split())
    assert f"got bpcore_add_module({arguments}), wanted one .pyx file, and C files or none" in said


@pytest.mark.skipif(not bpcore.cpu_info()["threads"], reason="the package is built without OpenMP")
def test_the_flags_of_each_level(tmp_path):
    done = configure(
        tmp_path,
        "bpcore_add_module(one SOURCES m.pyx)",
        "bpcore_add_module(a.many SOURCES m.pyx more.c OPENMP)",
        "foreach(level IN LISTS BPCORE_LEVELS)",
        '  message(NOTICE "level ${level} ${BPCORE_FLAGS_${level}}")',
        "endforeach()",
    )
    assert done.returncode == 0, done.stderr
    levels = {words[1]: words[2:] for words in map(str.split, done.stderr.replace(";", " ").splitlines())}
    assert set(bpcore.cpu_info()["built"]) <= set(levels)
    commands = json.loads((tmp_path / "build" / "compile_commands.json").read_text(encoding="utf-8"))
    assert len(commands) == 3 * len(levels)
    for command in commands:
        (module, level), flags = FOLDER.search(command["command"]).groups(), command["command"].split()
        assert {"-ffp-contract=off", *levels[level]} <= set(flags)
        assert ("-fopenmp" in flags) == (module == "many")
