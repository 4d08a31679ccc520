"""How a recorded run is cited: enough to find it, and to see that it is the one."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_SPECIAL = re.compile(r"[\\{}%&$#_~^]")
_WORDS = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def citation(run: Json, journal: str, version: str) -> Json:
    """Return ``{"text": ..., "bibtex": ...}``.

    Args:
        run: ``{summary, intent, completion, envelopes, ledger}``, as the control plane answers it.
        journal: The journal's id; with an index it names a ledger entry.
        version: Version of the program that recorded it.
    """
    summary = run["summary"]
    what = f"{summary['operation']} on {summary['backend']}"
    if summary.get("shots"):
        what += f", {summary['shots']} shots"
    when = str(summary.get("started_at") or "")
    title = f"Quantum run {summary['run_id']}: {what}"
    proof = "; ".join(_proof(run, journal))
    text = f"{title}. {when[:19]} UTC. Recorded by qsec-jupyter {version}. {proof}."
    return {"text": text, "bibtex": _bibtex(summary["run_id"], title, when, version, proof)}


def _proof(run: Json, journal: str) -> list[str]:
    found = [f"{kind} sha256:{identity}" for kind, identity in run["envelopes"].items() if identity]
    indexes = [str(index) for index in run["ledger"].values() if index is not None]
    if indexes:
        found.append(
            f"ledger {journal}, {'entries' if len(indexes) > 1 else 'entry'} {' and '.join(indexes)}"
        )
    claims = ((run.get("intent") or {}).get("predicate") or {}).get("run") or {}
    circuits = (claims.get("execution") or {}).get("circuits")
    hashes = (
        [c.get("structural_hash") for c in circuits if isinstance(c, dict)]
        if isinstance(circuits, list)
        else []
    )
    told = [
        f"{h['alg']}:{h['value']}" for h in hashes if isinstance(h, dict) and {"alg", "value"} <= h.keys()
    ]
    if told:
        found.append(f"circuit {told[0]}" + (f" and {len(told) - 1} more" if len(told) > 1 else ""))
    return found


def _bibtex(run_id: str, title: str, when: str, version: str, proof: str) -> str:
    year = when[:4] if when[:4].isdecimal() else ""
    lines = [
        f"@misc{{qsec-{re.sub('[^A-Za-z0-9]', '', run_id)[:12]},",
        f"  title = {{{{{_latex(title)}}}}},",
        *([f"  year = {{{year}}},"] if year else []),
        f"  howpublished = {{qsec-jupyter {_latex(version)}}},",
        f"  note = {{{_latex(proof)}}}",
        "}",
    ]
    return "\n".join(lines)


def _latex(text: str) -> str:
    plain = " ".join(text.split())
    return _SPECIAL.sub(lambda match: _WORDS.get(match[0], "\\" + match[0]), plain)
