"""Profiles of Hypothesis, where the real data is, and a closing line on the tests that could not have it."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import teams

# A shell that runs the suite in the background has it ignore Ctrl-C, and so would every process that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: a test's first example pays for imports, and speed claims are benchmarks.
settings.register_profile("quick", deadline=None, derandomize=True, print_blob=True, max_examples=50)
settings.register_profile(
    "deep", deadline=None, print_blob=True, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("quick")

FILES = {
    "mnist": ("mnist", "train-images-idx3-ubyte"),
    "fashion_mnist": ("fashion-mnist", "train-images-idx3-ubyte"),
}


def data_folder(marker: str) -> Path | None:
    """The folder under $BACKPROP_DATA that holds the data set a marker names."""
    root = os.environ.get("BACKPROP_DATA")
    name, file = FILES[marker]
    # Both data sets have files of the same names: only MNIST may lie in $BACKPROP_DATA itself.
    folders = [Path(root) / name, *([Path(root)] if marker == "mnist" else [])] if root else []
    return next((folder for folder in folders if list(folder.glob(f"{file}*"))), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect, and keep the names of, the tests whose data is not on this machine."""
    missing = {marker for marker, folder in FOLDERS.items() if folder is None}
    without = [item for item in items if any(item.get_closest_marker(marker) for marker in missing)]
    config.stash[NOT_RUN] = [item.nodeid for item in without]
    items[:] = [item for item in items if item not in without]
    config.hook.pytest_deselected(items=without)
    require_stable_ids(items)


def require_stable_ids(items: list[pytest.Item]) -> None:
    """Refuse ids with an object's address: workers that share the suite have to agree on the names of its tests."""
    for item in items:
        if re.search(r" at 0x[0-9a-f]+", item.nodeid):
            raise pytest.UsageError(
                f"{item.nodeid}: an id with an address differs from run to run; name it by ids="
            )


# Found once: tests of the search itself change the environment.
FOLDERS = {marker: data_folder(marker) for marker in FILES}
NOT_RUN = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name every test that was not run for want of data."""
    names = config.stash.get(NOT_RUN, [])
    if names:
        terminalreporter.section("not run: the data is not in $BACKPROP_DATA")
        for name in names:
            terminalreporter.write_line(name)


@pytest.fixture(autouse=True, scope="session")
def _more_threads_than_processors() -> Iterator[None]:
    """Give tests as many threads as they name, where OpenMP would give as many as there are processors."""
    with teams.allowed():
        yield


@pytest.fixture
def mnist_root() -> Path:
    folder = FOLDERS["mnist"]
    assert folder is not None
    return folder


@pytest.fixture
def fashion_mnist_root() -> Path:
    folder = FOLDERS["fashion_mnist"]
    assert folder is not None
    return folder
