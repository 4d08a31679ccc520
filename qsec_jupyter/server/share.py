"""Share safely: a stripped, scanned copy of a notebook, with a report beside it that quotes nothing.

Outputs, execution counts and metadata are stripped by nbstripout's engine, with a choice of what to
keep. The copy is redacted whatever is kept in the original: a reason to keep a value in one's own
notebook is none to give it away. The report is Markdown: JupyterLab and code hosts show it rendered,
every mail program shows it readable, and unlike HTML it can do nothing.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from ..core.classification import Classified
from ..core.errors import Invalid
from ..core.model import Finding
from ..scan.scanner import Scanner

KEPT_NOTEBOOK_METADATA = frozenset({"kernelspec", "language_info"})
"""Without these a notebook does not open with its language."""

KEPT_CELL_METADATA = frozenset({"tags"})

_SHARED = "shared/"
"""Before a path, so that no finding kept in the original is kept in its copy."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What a copy still holds of the original, beside its source."""

    outputs: bool = False
    execution_counts: bool = False
    metadata: bool = False

    @classmethod
    def from_dict(cls, data: Any) -> Keep:
        """Build from JSON.

        Raises:
            Invalid: ``share.keep`` when it is not an object of booleans.
        """
        names = cls.__dataclass_fields__
        given = data if isinstance(data, dict) else {"": None}
        if not set(given) <= set(names) or not all(isinstance(value, bool) for value in given.values()):
            raise Invalid(
                "share.keep", "What to keep cannot be read", f"It is an object of {', '.join(names)}."
            )
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that may be given away.

    Attributes:
        notebook: The copy.
        findings: What was in it before it was redacted.
        removed: How many ``outputs``, ``metadata`` entries and ``secrets`` were taken out.
        unscanned: What was not read and should have been, and why.
        images: How many images it holds; what is drawn in them was not read.
    """

    notebook: dict[str, Any]
    findings: tuple[Finding, ...]
    removed: dict[str, int]
    unscanned: tuple[dict[str, str], ...]
    images: int
    keep: Keep

    @property
    def text(self) -> str:
        """The copy as a file."""
        return json.dumps(self.notebook, indent=1, ensure_ascii=False) + "\n"

    @property
    def sha256(self) -> str:
        """The digest of :attr:`text`, by which the ledger knows the copy."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


def make_copy(notebook: Any, path: str, keep: Keep, scanner: Scanner) -> Copy:
    """Return a stripped and redacted copy of a notebook.

    Args:
        notebook: nbformat 4, as JSON; it is not changed.
        path: The original's, for the findings.
        keep: What the copy still holds.
        scanner: Reads the copy.

    Raises:
        Invalid: ``share.not_notebook``.
    """
    if not _is_notebook(notebook):
        raise Invalid(
            "share.not_notebook",
            "Only notebooks of nbformat 4 can be shared",
            "The file is not one.",
            "Open it in Jupyter and save it as a notebook first.",
        )
    stripped, removed = _strip(copy.deepcopy(notebook), keep)
    # Kept findings are kept by path, as an ending of it: this name has none of the original's endings.
    result = scanner.scan_notebook(stripped, _SHARED + hashlib.sha256(path.encode()).hexdigest())
    findings = tuple(_at(one, path) for one in result.findings)
    secrets = sum(one.action == "redacted" for one in findings)
    redacted = stripped if result.redacted is None else result.redacted
    removed = {**removed, "secrets": secrets}
    return Copy(redacted, findings, removed, tuple(result.unscanned), result.images, keep)


def _is_notebook(notebook: Any) -> bool:
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        return False
    cells = notebook.get("cells")
    return isinstance(cells, list) and all(
        isinstance(cell, dict) and isinstance(cell.get("metadata", {}), dict) for cell in cells
    )


def _at(finding: Finding, path: str) -> Finding:
    return replace(finding, path=path)


def _strip(notebook: dict[str, Any], keep: Keep) -> tuple[dict[str, Any], dict[str, int]]:
    from nbformat import NotebookNode, from_dict
    from nbstripout import strip_output

    before = sum(len(cell.get("outputs") or []) for cell in notebook["cells"])
    entries = 0
    for cell in notebook["cells"]:
        cell.get("metadata", {}).pop("trusted", None)  # the server's own mark on what it has read
    if not keep.outputs:
        for cell in notebook["cells"]:  # a notebook must not decide for itself what is kept of it
            entries += _drop(cell.get("metadata", {}), lambda key: key in {"keep_output", "init_cell"})
            tags = cell.get("metadata", {}).get("tags")
            if isinstance(tags, list) and "keep_output" in tags:
                cell["metadata"]["tags"] = [tag for tag in tags if tag != "keep_output"]
    if not keep.metadata:
        entries += _drop(notebook.setdefault("metadata", {}), lambda key: key not in KEPT_NOTEBOOK_METADATA)
        for cell in notebook["cells"]:
            entries += _drop(cell.setdefault("metadata", {}), lambda key: key not in KEPT_CELL_METADATA)
    node: NotebookNode = strip_output(from_dict(notebook), keep.outputs, keep.execution_counts, True)
    stripped: dict[str, Any] = json.loads(json.dumps(node))
    after = sum(len(cell.get("outputs") or []) for cell in stripped["cells"])
    return stripped, {"outputs": before - after, "metadata": entries}


def _drop(holder: dict[str, Any], unwanted: Any) -> int:
    names = [key for key in holder if unwanted(key)]
    for name in names:
        del holder[name]
    return len(names)


def default_path(path: str) -> str:
    """Return where the copy of the notebook at ``path`` goes: beside it, named ``…-shared.ipynb``."""
    return str(PurePosixPath(path).with_suffix("")) + "-shared.ipynb"


def report_path(path: str) -> str:
    """Return where the report on the copy at ``path`` goes."""
    return str(PurePosixPath(path).with_suffix("")) + ".report.md"


def report(
    shared: Copy, source: str, path: str, classified: Classified, share_id: str | None, time: str
) -> str:
    """Return what the reader of a copy wants to know, as Markdown. It holds no value.

    Args:
        shared: The copy.
        source: The original's path.
        path: The copy's path.
        classified: The original's data class.
        share_id: Under which the ledger knows it; ``None`` when it was not recorded.
        time: RFC 3339.
    """
    recorded = f"as `{share_id}`" if share_id else "**no**: the control plane did not answer"
    kept = [name.replace("_", " ") for name in Keep.__dataclass_fields__ if getattr(shared.keep, name)]
    lines = [
        f"# What was shared: {_inline(PurePosixPath(path).name)}",
        "",
        "| | |",
        "|---|---|",
        f"| Made from | {_inline(source)} |",
        f"| Made at | {time} |",
        f"| Data class of the original | {classified.name} ({classified.why}) |",
        f"| SHA-256 of the copy | `{shared.sha256}` |",
        f"| Recorded in the ledger | {recorded} |",
        f"| Kept | source, cell ids{''.join(', ' + name for name in kept)} |",
        *(f"| Removed {name} | {count} |" for name, count in shared.removed.items()),
        f"| Images, not looked into | {shared.images} |",
        "",
        "## Findings",
        "",
        *_findings(shared.findings),
    ]
    if shared.unscanned:
        lines += ["", "## Not scanned", ""]
        lines += [f"- {_inline(entry['surface'])}: {_inline(entry['why'])}" for entry in shared.unscanned]
    return "\n".join(lines) + "\n"


def _findings(findings: tuple[Finding, ...]) -> list[str]:
    if not findings:
        return ["None: the copy held no secret that the scanner knows."]
    rows = ["| Where | What | Severity | Done | Remedy |", "|---|---|---|---|---|"]
    for one in findings:
        where = one.surface if one.cell is None else f"cell {one.cell + 1}, {one.surface}, line {one.line}"
        cells = (where, _inline(one.title), one.severity, one.action, _inline(one.remedy))
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _inline(text: str) -> str:
    """Return text that Markdown shows as it is, on one line."""
    plain = " ".join(text.split())
    return "".join("\\" + character if character in "\\`*_{}[]<>#|!~&" else character for character in plain)


async def record(control: Any, shared: Copy, source: str, path: str, classified: Classified) -> str:
    """Record a copy by its digest, before it is written; return under which id.

    Args:
        control: Has ``call``, see :class:`.control_plane.ControlPlane`.
        shared: The copy.
        source: The original's path.
        path: The copy's path.
        classified: The original's data class.

    Raises:
        QsecError: It was not recorded.
    """
    body = {
        "source": source,
        "path": path,
        "sha256": shared.sha256,
        "size": len(shared.text.encode("utf-8", "surrogatepass")),
        "data_class": classified.name,
        "keep": asdict(shared.keep),
        "removed": shared.removed,
        "findings": len(shared.findings),
    }
    answer = await control.call("POST", "/v1/shares", body)
    return str(answer["share_id"])
