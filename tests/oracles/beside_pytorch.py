"""What tests beside PyTorch share; without PyTorch whoever imports it is skipped."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
# What is promised of float64, relative to numbers above 1.
FORWARD, BACKWARD = 1e-12, 1e-10


@pytest.fixture(autouse=True)
def numbers_of_float64():
    """Some optimizers keep numbers of PyTorch's default type, which is float32."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def assert_close(ours, theirs, bound):
    """Whether each number is near that of a tensor."""
    theirs = theirs.detach().numpy()
    assert (np.abs(ours - theirs) <= bound * np.maximum(1, np.abs(theirs))).all()
