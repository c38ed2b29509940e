"""How the documentation is built: `python -m sphinx -W -b html docs docs/_build`."""

import sys
from pathlib import Path

import bpcore

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "backprop"
author = "the backprop developers"
project_copyright = author
version = release = bpcore.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_nb",  # pages in Markdown, and the notebook, executed
    "commands",
    "entries",
    "colours",
]
exclude_patterns = [
    "_build",
    "tutorial",
    "jupyter_execute",
    "generated/tutorial/*.ipynb",
    "generated/commands.rst",
    "generated/kernels.rst",
]
nitpicky = True
default_role = "literal"  # a name in single backquotes is code, as the docstrings write it
html_theme = "furo"
html_title = "backprop"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_theme_options = {
    "source_repository": "",
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7fb3f0", "color-brand-content": "#7fb3f0"},
}

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say it in words
numpydoc_show_class_members = False  # the templates do
templates_path = ["_templates"]

nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "tutorial",
    "gallery_dirs": "generated/tutorial",
    "filename_pattern": r"/s\d{4}_",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "matplotlib_animations": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "download_all_examples": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "image_scrapers": ("matplotlib", "figures.of_drawing"),
    "capture_repr": ("_repr_html_", "__repr__"),
    "ignore_repr_types": r"Axes",
}
