"""What a run record does not say although the format has a place for it: a sentence each, never a guess."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def missing(run: Json) -> list[str]:
    """Return what is not known of a run, as far as its own record shows; for an intent."""
    found: list[str] = []
    source, environment = _part(run, "source"), _part(run, "environment")
    execution, backend = _part(run, "execution"), _part(run, "backend")
    if not source.get("cell_digest"):
        found.append("the source of the cell is not known")
    chain = source.get("chain")
    if not isinstance(chain, dict) or not chain.get("complete"):
        found.append("cells that ran before recording began are not in the chain of sources")
    git = source.get("git")
    if isinstance(git, dict) and git.get("untracked"):
        found.append("files that git does not track are not in the diff's digest")
    if not isinstance(environment.get("packages"), dict):
        found.append("the installed packages are not known")
    container = environment.get("container")
    if isinstance(container, dict) and not container.get("digest"):
        found.append("the digest of the container's image is not known inside it")
    compilation = execution.get("compilation")
    if isinstance(compilation, dict):
        found.append("the circuit that was compiled is not known, only what it was compiled to")
        if compilation.get("level") is None:
            found.append(
                "the transpiler's level, seed and duration are not known: a circuit does not keep them"
            )
    if backend.get("simulator") is not True and not backend.get("calibration"):
        found.append("the backend's calibration is not known")
    return found


def _part(run: Json, name: str) -> Json:
    part = run.get(name)
    return part if isinstance(part, dict) else {}
