"""A Sphinx extension that writes the signature and the docstring of every kernel to `generated/kernels.rst`.

Kernels are objects of the class `Entry`, which autodoc takes for data.
"""

import inspect
from pathlib import Path
from textwrap import indent
from typing import Any

from sphinx.application import Sphinx

from bpcore import kernels


def write(app: Sphinx) -> None:
    """Write the page, so that it is true whenever it is built."""
    entries = [entry for entry in vars(kernels).values() if isinstance(entry, kernels.Entry)]
    path = Path(app.srcdir) / "generated" / "kernels.rst"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(map(described, entries)), encoding="utf-8")


def described(entry: kernels.Entry) -> str:
    """An entry as the function that it is to users."""
    head = f".. py:function:: {entry.__name__}{inspect.signature(entry)}\n"
    return f"{head}\n{indent(inspect.cleandoc(entry.__doc__ or ''), '   ')}\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Write before the sources are read."""
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
