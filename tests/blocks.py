"""The code that stands in documents."""

import json
import re
from pathlib import Path


def blocks_of(page: Path, *languages: str) -> list[tuple[str, str]]:
    """Language and text of a Markdown file's blocks, in their order; all of them, or those in some languages."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(language, block) for language, block in found if not languages or language in languages]


def cells_of(notebook: Path) -> list[str]:
    """The code cells of a notebook."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
