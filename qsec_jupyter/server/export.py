"""Exports: what nbconvert makes of a notebook holds markers in the place of secrets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ..core.errors import Denied
from .save.guard import SaveGuard
from .save.treatment import Refused, treat

Preprocess = Callable[[Any, dict[str, Any]], tuple[Any, dict[str, Any]]]
"""nbconvert's preprocessor: notebook and resources in, both out."""


def redactor(guard: SaveGuard) -> Preprocess:
    """Return a preprocessor that scans with ``guard``.

    It runs after nbconvert's own, so that outputs of a notebook that is executed for the export, and
    files that were taken out of outputs, are seen.
    """

    def qsec_redact(notebook: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        from nbformat import from_dict

        path = str(resources.get("metadata", {}).get("name", "notebook")) + ".ipynb"
        plain = json.loads(json.dumps(notebook))
        result = treat(guard.scanner.scan_notebook(plain, path), plain, guard.policy.of(plain))
        if isinstance(result, Refused):
            raise Denied("export.blocked", "This notebook is not exported", result.message)
        files = resources.get("outputs")
        if isinstance(files, dict):
            resources["outputs"] = {name: _redacted(guard, name, data) for name, data in files.items()}
        return (notebook if result.redacted is None else from_dict(result.redacted)), resources

    return qsec_redact


def _redacted(guard: SaveGuard, name: str, data: Any) -> Any:
    """Return a file that goes with the export; what is no text stays as it is."""
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else str(data)
    except UnicodeDecodeError:
        return data
    found = guard.scanner.scan_text(text, name).redacted
    if found is None:
        return data
    return found.encode("utf-8", "surrogatepass") if isinstance(data, bytes) else found


def register(config: Any, guard: SaveGuard) -> None:
    """Add the preprocessor to a server's configuration, for every kind of exporter in it."""
    preprocess = redactor(guard)
    for name in {"Exporter", *_with_own_list(config)}:
        own = config[name].get("preprocessors", [])
        if isinstance(own, list):
            config[name].preprocessors = [*own, preprocess]
        else:  # what was only added to in a configuration file is not a list yet
            own.append(preprocess)


def registered(config: Any) -> bool:
    """Say whether every kind of exporter redacts."""
    return all(
        "qsec_redact" in repr(config[name].get("preprocessors", []))
        for name in {"Exporter", *_with_own_list(config)}
    )


def _with_own_list(config: Any) -> list[str]:
    return [name for name in config if name.endswith("Exporter") and "preprocessors" in config[name]]
