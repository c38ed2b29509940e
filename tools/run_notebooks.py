"""`python tools/run_notebooks.py FOLDER`: whether a page's notebook, downloaded and run, has the page's pictures.

FOLDER is the built documentation. Plots are counted, and drawings of graphs; both as the page shows them.
"""

import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

DRAWING = 'class="bp-graph"'
DRAWS = re.compile(r"\.plot\(|\bplots\.\w+\(|\.draw\(")


def of_page(page: Path) -> tuple[int, int]:
    """Plots and drawings that a page shows."""
    text = page.read_text(encoding="utf-8")
    plots = set(re.findall(rf'<img [^>]*src="[^"]*/(sphx_glr_{page.stem}_\d+\.\w+)"', text))
    return len(plots), text.count(DRAWING)


def of_notebook(notebook: nbformat.NotebookNode) -> tuple[int, int]:
    """Plots and drawings that a notebook shows when it is run in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    outputs = [one.get("data", {}) for cell in notebook.cells for one in cell.get("outputs", [])]
    return sum("image/png" in one for one in outputs), sum(
        DRAWING in one.get("text/html", "") for one in outputs
    )


def main() -> int:
    folder = Path(sys.argv[1])
    paths = sorted(folder.glob("_downloads/*/s[0-9]*.ipynb"), key=lambda path: path.name)
    wrong = not paths
    for path in paths:
        notebook = nbformat.read(path, as_version=4)
        draws = any(DRAWS.search(cell.source) for cell in notebook.cells if cell.cell_type == "code")
        (page,) = folder.rglob(f"{path.stem}.html")
        wanted, found = of_page(page), of_notebook(notebook)
        print(f"{path.stem}: the page has {wanted} plots and drawings, its notebook {found}", flush=True)
        wrong |= wanted != found or any(found) != draws
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
