"""Every plot shows a picture where it is the last line of a notebook's cell."""

import nbformat
import pytest
from nbclient import NotebookClient

CELLS = {
    "set-up": """
import matplotlib.pyplot as plt
import numpy as np
import backprop as bp
from backprop import plots
(x, t), _ = bp.load_digits()
net = bp.Network([64, 10], seed=0)
plane = bp.Network([2, 3], seed=0)
history = net.fit(x, t, epochs=2, seed=0)
""",
    "learning_curve": "history.plot()",
    "weight_images": "plots.weight_images(net)",
    "confusion_matrix": "plots.confusion_matrix(net, x, t)",
    "gradient_flow": "plots.gradient_flow(net, x, t)",
    "gradient_errors": "bp.check_gradients(bp.Tanh(), x[:2]).plot()",
    "decision_regions": "plots.decision_regions(plane, x[:50, 20:22], t[:50] % 3, resolution=5)",
    "with a title": "history.plot().set_title('a title')",
    "two": "history.plot()\nplots.weight_images(net)",
    "axes of one's own": "fig, axes = plt.subplots(1, 2)\nhistory.plot(axes[0])\nplots.weight_images(net, ax=axes[1])",
    "saved": """
history.plot()
plt.savefig("curve.png")
picture = plt.imread("curve.png")
print(len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 2)
""",
}
PICTURES = {"set-up": 0, "two": 2}  # one in all others


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS.values()])
    folder = tmp_path_factory.mktemp("notebook")
    NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    return dict(zip(CELLS, (cell.outputs for cell in notebook.cells), strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_its_pictures(name, outputs):
    shown = [one for one in outputs[name] if "image/png" in one.get("data", {})]
    assert len(shown) == PICTURES.get(name, 1)
    # Where matplotlib is imported, it may say that it looks for fonts.
    assert name == "set-up" or not [one for one in outputs[name] if one.get("name") == "stderr"]


def test_a_saved_picture_is_not_empty(outputs):
    assert [one.text for one in outputs["saved"] if one.output_type == "stream"] == ["True\n"]
