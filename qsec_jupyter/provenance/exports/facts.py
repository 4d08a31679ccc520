"""What every export says of a run, read once from its statements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """A run as exports tell it.

    Attributes:
        inputs: Name and digest (``alg:value``) of each circuit, and of the parameters.
        outputs: The same of the result.
        notebook: Path, and digest or ``None``.
        git: Commit and remote, each or ``None``.
        person: The pseudonym of who ran it.
        failed: Whether it ended with an error; ``None`` while that is not known.
    """

    run_id: str
    title: str
    operation: str
    backend: str
    backend_version: str | None
    started_at: str | None
    ended_at: str | None
    failed: bool | None
    inputs: tuple[tuple[str, str], ...]
    outputs: tuple[tuple[str, str], ...]
    notebook: tuple[str, str | None] | None
    git: tuple[str | None, str | None]
    person: str
    recorder: str
    frameworks: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]


def facts(run: Json) -> Facts:
    """Read the facts of a run, ``{summary, intent, completion, ...}`` as the index of runs answers it."""
    summary, first = run["summary"], run["intent"] or run["completion"]
    predicate = first["predicate"]
    said = predicate["run"]
    last = run["completion"]
    git = _part(_part(said, "source"), "git")
    notebook = _part(_part(predicate, "server"), "notebook")
    status = summary["status"]
    gaps = [gap for statement in (run["intent"], last) if statement for gap in statement["predicate"]["gaps"]]
    return Facts(
        run_id=summary["run_id"],
        title=f"{summary['operation']} on {summary['backend']}",
        operation=summary["operation"],
        backend=summary["backend"],
        backend_version=_text(_part(said, "backend").get("version")),
        started_at=_text(summary["started_at"]),
        ended_at=_text(summary["ended_at"]),
        failed={"done": False, "failed": True}.get(status),
        inputs=tuple(_subjects(run["intent"], ("circuit/", "parameters"))),
        outputs=tuple(_subjects(last, ("result",))),
        notebook=(str(notebook["path"]), _text(notebook.get("sha256"))) if notebook.get("path") else None,
        git=(_text(git.get("commit")), _text(git.get("remote"))),
        person=str(predicate["authority"]["principal"]),
        recorder=str(predicate["recorder"]["version"]),
        frameworks=tuple(sorted(_part(_part(said, "environment"), "frameworks").items())),
        gaps=tuple(dict.fromkeys(gaps)),
    )


def _subjects(statement: Any, names: tuple[str, ...]) -> list[tuple[str, str]]:
    found = []
    for subject in (statement or {}).get("subject", ()):
        if subject["name"].startswith(names):
            # The structural hash names what a circuit does; a file's SHA-256 only one form of it.
            digests = subject["digest"]
            alg = next((name for name in digests if name != "sha256"), "sha256")
            found.append((subject["name"], f"{alg}:{digests[alg]}"))
    return found


def _part(value: Any, name: str) -> Json:
    part = value.get(name) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
