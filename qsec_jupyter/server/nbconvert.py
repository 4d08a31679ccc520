"""The preprocessor for nbconvert on the command line.

``jupyter nbconvert --Exporter.preprocessors=qsec_jupyter.server.nbconvert.RedactPreprocessor …``, or
the same setting in ``jupyter_nbconvert_config.py``. It knows the rules and this user's kept findings;
values that were issued are known to the running server only.
"""

from __future__ import annotations

from typing import Any

from nbconvert.preprocessors import Preprocessor
from traitlets import Bool

from .export import redactor
from .save import SaveGuard


class RedactPreprocessor(Preprocessor):
    """Puts markers in the place of secrets before anything is written."""

    enabled = Bool(True, help="Whether exports are scanned.").tag(config=True)

    def preprocess(self, nb: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the notebook and its resources with markers."""
        return redactor(SaveGuard(log=self.log))(nb, resources)
