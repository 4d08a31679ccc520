"""Sphinx settings. Warnings are errors, so a broken link or a page outside the tree fails the build."""

import json
from pathlib import Path

project = "qsec-jupyter"
author = "qsec-jupyter maintainers"
release = json.loads((Path(__file__).parents[1] / "package.json").read_text())["version"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
