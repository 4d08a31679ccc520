"""The Jupyter Server extension. Imported by the server only: a kernel must not pay for it."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from .extension import QsecExtension

    return [{"module": "qsec_jupyter.server", "app": QsecExtension}]
