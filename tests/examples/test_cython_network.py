"""The project of a network in one's own Cython module, built by pip against the installed package."""

import os
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
EXAMPLE, PAGE = ROOT / "examples" / "cython_network", ROOT / "docs" / "how-to" / "use-from-cython.md"
RUN = """
import numpy as np, controller
with np.load("given.npz") as file:
    given = dict(file)
params = [given[key] for key in ("W1", "b1", "W2", "b2")]
made = controller.Controller(*params, len(given["x"]))
scores, dW1, dW2 = np.empty((len(given["x"]), 3), "f4"), np.empty_like(params[0]), np.empty_like(params[2])
made.scores(given["x"], scores)
loss = made.gradient(given["x"], given["t"], dW1, dW2)
last = made.steps(given["x"], given["t"], 0.1, 20)
np.savez("made.npz", scores=scores, loss=loss, dW1=dW1, dW2=dW2, last=last, W1=params[0], b2=params[3])
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that pip has installed the project into."""
    folder = tmp_path_factory.mktemp("project")
    project = shutil.copytree(EXAMPLE, folder / "project")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # What is installed is what it builds against; nothing is fetched.
    command = [
        *pip,
        "--no-index",
        "--no-build-isolation",
        "--no-deps",
        "--target",
        folder / "installed",
        project,
    ]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "installed"


@pytest.mark.skipif(
    bpcore.cpu_info()["chosen"] not in ("v3", "v4", "neon"),
    reason="bits are compared, which need an FMA level",
)
def test_forward_gradient_and_steps_have_the_bits_of_a_network(installed, tmp_path):
    net = bp.Network([5, 9, 3], seed=0)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(17, 5)).astype(np.float32), rng.integers(0, 3, 17)
    np.savez(tmp_path / "given.npz", x=x, t=t, **dict(net.params))
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, env=environment, check=True)
    with np.load(tmp_path / "made.npz") as made:
        assert np.array_equal(made["scores"], net.predict(x))
        grads = net.gradient(x, t)
        assert made["loss"] == net.lastLayer.loss
        assert np.array_equal(made["dW1"], grads["W1"])
        assert np.array_equal(made["dW2"], grads["W2"])
        losses = [net.train_step(x, t, bp.SGD(0.1)) for _ in range(20)]
        assert made["last"] == losses[-1]
        assert np.array_equal(made["W1"], net.params["W1"])
        assert np.array_equal(made["b2"], net.params["b2"])


def test_what_the_documentation_does_with_it(installed, tmp_path):
    (block,) = [block for _, block in blocks_of(PAGE, "python") if "controller" in block]
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", block]
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    first, last = map(float, said.stdout.split())
    assert last < first


def test_after_an_upgrade_of_bpcore_it_asks_to_be_built_again(installed, tmp_path):
    code = "import bpcore._api; bpcore._api.API_VERSION = 0x0ABCDEF; import controller"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: controller was compiled against version 0x{bpcore._api.API_VERSION:07X} of bpcore's API; bpcore "
        f"{bpcore.__version__}, which is installed, has version 0x0ABCDEF: build controller again, against this bpcore"
    )
