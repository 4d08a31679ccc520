"""What the public API shows in a notebook: small cards, and plain text where there is no HTML.

Colours come from JupyterLab's theme variables alone, with fallbacks that read on light and dark.
Everything that came over a wire is escaped.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from ..core.duration import format_duration
from ..core.errors import QsecError
from ..core.model import Grant, Target

if TYPE_CHECKING:
    from .credential import Credential
    from .health import Check

_TONES = {
    "good": "var(--jp-success-color1, #388e3c)",
    "warn": "var(--jp-warn-color1, #f57c00)",
    "bad": "var(--jp-error-color1, #d32f2f)",
    "calm": "var(--jp-info-color1, #0288d1)",
}
_STATE_TONE = {"active": "good", "requested": "warn", "approved": "calm", "done": "good", "failed": "bad"}
_BOX = (
    "border:1px solid var(--jp-border-color2, #9e9e9e);border-left:4px solid {tone};border-radius:3px;"
    "padding:8px 12px;margin:2px 0;max-width:60em;overflow-x:auto;"
    "background:var(--jp-layout-color1, transparent);"
    "color:var(--jp-ui-font-color1, inherit);font-family:var(--jp-ui-font-family, sans-serif);"
)
_DIM = "color:var(--jp-ui-font-color2, inherit);text-align:left;font-weight:normal;padding:1px 12px 1px 0"
_CELL = "text-align:left;padding:1px 12px 1px 0"


class Html(str):
    """Text that is HTML already, and safe."""

    __slots__ = ()


def copyable(text: str) -> Html:
    """Return ``text`` so that one click selects all of it (scripts do not run in untrusted notebooks)."""
    return Html(f'<code style="user-select:all;overflow-wrap:anywhere">{escape(text)}</code>')


def card(title: str, rows: Iterable[tuple[str, Any]], tone: str = "calm") -> str:
    """Return a card: a title, then names and values; empty values are left out."""
    lines = "".join(
        f'<tr><th scope="row" style="{_DIM}">{escape(name)}</th><td style="{_CELL}">{_text(value)}</td></tr>'
        for name, value in rows
        if value not in (None, "")
    )
    return (
        f'<div class="jp-Qsec-card" style="{_BOX.format(tone=_TONES[tone])}"><strong>{escape(title)}</strong>'
        f'<table style="margin:4px 0 0;border:none">{lines}</table></div>'
    )


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> str:
    """Return a card that holds a table, or the sentence ``empty``."""
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_text(value)}</td>' for value in row) + "</tr>"
        for row in rows
    )
    head = "".join(f'<th scope="col" style="{_DIM}">{escape(name)}</th>' for name in heads)
    inner = (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        if body
        else f"<p>{escape(empty)}</p>"
    )
    box = _BOX.format(tone=_TONES["calm"])
    return f'<div class="jp-Qsec-card" style="{box}"><strong>{escape(title)}</strong>{inner}</div>'


def _text(value: Any) -> str:
    return value if isinstance(value, Html) else escape("" if value is None else str(value))


def lines(title: str, rows: Iterable[tuple[str, Any]]) -> str:
    """Return a title, then names and values as plain text; empty values are left out."""
    return "\n".join([title, *(f"  {name}: {value}" for name, value in rows if value not in (None, ""))])


def notice(text: str) -> None:
    """Show one sentence in the running cell; silent outside IPython."""
    import sys

    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython
    from IPython.display import publish_display_data

    if get_ipython() is not None:
        html = f'<div role="status" style="{_BOX.format(tone=_TONES["warn"])}">{escape(text)}</div>'
        publish_display_data({"text/plain": text, "text/html": html})


def error_lines(error: QsecError) -> list[str]:
    """Return an error as the lines that a notebook shows in place of a traceback."""
    lines = [f"\x1b[1;31m{error.title}\x1b[0m  [{error.code}]"]
    lines += [f"  {error.detail}"] if error.detail else []
    return lines + ([f"  \x1b[1mRemedy:\x1b[0m {error.remedy}"] if error.remedy else [])


def _left(moment: str | None) -> str:
    from .credential import epoch

    end = epoch(moment)
    return "" if end is None else f"{format_duration(max(0, int(end - time.time())))} left"


def _grant_rows(grant: Grant) -> list[tuple[str, Any]]:
    return [
        ("State", grant.state),
        ("Time", _left(grant.expires_at) if grant.state == "active" else format_duration(grant.duration)),
        ("Reason", grant.reason),
        ("Ticket", grant.ticket),
        ("Decided by", grant.decided_by),
        ("Comment", grant.decision_comment),
        ("Policies", ", ".join(grant.policies)),
    ]


def grant_card(grant: Grant) -> str:
    """Return a grant as a card."""
    tone = _STATE_TONE.get(grant.state, "bad")
    return card(f"Grant for {grant.target}", [*_grant_rows(grant), ("Id", copyable(grant.id))], tone)


def grant_text(grant: Grant) -> str:
    """Return a grant as lines of text."""
    return lines(f"Grant for {grant.target}", [*_grant_rows(grant), ("Id", grant.id)])


def credential_card(credential: Credential) -> str:
    """Return a credential as a card; the value is the marker."""
    return card(
        f"Credential for {credential.target}",
        [
            ("Value", str(credential)),
            ("State", credential.end.title if credential.end else "good"),
            ("Expires", credential.expires_at),
            ("Tier", credential.tier),
            ("Source", credential.source),
            ("If revoked", credential.revocability),
            ("A copy works until", credential.outlives),
            ("Parts", ", ".join((*credential.fields, *credential.public))),
            ("Use", Html("<code>.reveal()</code> gives the value to the call that needs it")),
        ],
        "bad" if credential.end else "good",
    )


class Grants(list[Grant]):
    """Grants, newest first; a table in a notebook."""

    def _repr_html_(self) -> str:
        rows = [(g.target, g.state, _left(g.expires_at), g.reason, g.ticket, copyable(g.id)) for g in self]
        heads = ("Target", "State", "Time", "Reason", "Ticket", "Id")
        return table("Grants of this kernel", heads, rows, "None. Ask with %qsec request.")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("\n".join(map(grant_text, self)) or "No grants. Ask with %qsec request.")


class Targets(list[Target]):
    """What can be asked for; a table in a notebook."""

    def _repr_html_(self) -> str:
        rows = [
            (t.name, t.title, t.provider, t.tier, t.approval, format_duration(t.max_duration)) for t in self
        ]
        heads = ("Name", "Title", "Provider", "Tier", "Approval", "At most")
        return table("Targets", heads, rows, "The catalogue is empty.")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("\n".join(f"{t.name}: {t.title} ({t.tier}, approval {t.approval})" for t in self))


class Status:
    """What is on, what is off and why.

    Attributes:
        told: The control plane's answer to ``status``; empty when it gave none.
        checks: What this kernel found about its own hooks.
        error: Why the control plane gave no answer.
    """

    def __init__(self, told: dict[str, Any], checks: list[Check], error: QsecError | None) -> None:
        self.told, self.checks, self.error = told, checks, error

    @property
    def ok(self) -> bool:
        """Whether everything is on."""
        remote = self.told.get("health", {}).get("status", "down")
        return self.error is None and remote == "ok" and all(check.ok for check in self.checks)

    def _rows(self) -> list[tuple[str, str]]:
        rows = []
        if self.error is not None:
            rows.append(("Control plane", f"off: {self.error.title} {self.error.detail} {self.error.remedy}"))
        else:
            who, vault = self.told.get("principal", {}), self.told.get("vault", {})
            rows += [("You", f"{who.get('display_name')} (by {who.get('identity_provider')})")]
            rows += [("Vault", str(vault.get("label")))]
            rows += [(c["name"], _said(c)) for c in self.told.get("health", {}).get("checks", ())]
        return rows + [
            (c.name, ("on" if c.ok else "OFF") + (f": {c.detail}" if c.detail else "")) for c in self.checks
        ]

    def _repr_html_(self) -> str:
        return card("qsec status", self._rows(), "good" if self.ok else "warn")

    def __repr__(self) -> str:
        return lines("qsec status", self._rows())


def _said(check: dict[str, Any]) -> str:
    return " ".join(
        str(p) for p in ("on" if check.get("ok") else "OFF", check.get("detail"), check.get("remedy")) if p
    )


def _claims(statement: dict[str, Any] | None) -> dict[str, Any]:
    run: dict[str, Any] = ((statement or {}).get("predicate") or {}).get("run") or {}
    return run


class Run:
    """The record of one run, as the control plane holds it.

    Attributes:
        data: ``{summary, intent, completion, envelopes, ledger, children, citation}``.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @property
    def run_id(self) -> str:
        """The run's id."""
        return str(self.data["summary"]["run_id"])

    def _rows(self) -> list[tuple[str, Any]]:
        run = self.data["summary"]
        envelopes, ledger = self.data.get("envelopes") or {}, self.data.get("ledger") or {}
        citation = self.data.get("citation")
        return [
            ("Run", copyable(self.run_id)),
            ("Operation", run.get("operation")),
            ("Backend", run.get("backend")),
            ("Circuits", run.get("circuits")),
            ("Shots", run.get("shots")),
            ("Status", run.get("status")),
            ("Started", run.get("started_at")),
            ("Ended", run.get("ended_at")),
            ("Notebook", run.get("notebook")),
            *self._claimed(),
            ("Nested calls", len(self.data.get("children") or ()) or None),
            *((kind.capitalize(), copyable(sha)) for kind, sha in envelopes.items() if sha),
            ("Signed by", run.get("signed_by")),
            (
                "Ledger index",
                ", ".join(f"{kind} {index}" for kind, index in ledger.items() if index is not None),
            ),
            ("Grant", run.get("grant_id")),
            ("Not known", "; ".join(self._gaps()) or "nothing is missing"),
            ("Cite as", copyable(citation["text"]) if citation else None),
        ]

    def _claimed(self) -> list[tuple[str, Any]]:
        """Return what names the work itself: circuit, commit and result."""
        said, ended = (_claims(self.data.get(kind)) for kind in ("intent", "completion"))
        circuits = (said.get("execution") or {}).get("circuits") or ()
        hashes = [c["structural_hash"]["value"] for c in circuits if c.get("structural_hash")]
        git = (said.get("source") or {}).get("git") or {}
        changed = " and changes on top of it" if git.get("dirty") else ""
        result = (ended.get("result") or {}).get("sha256")
        return [
            ("Circuit hash", copyable(hashes[0]) if len(hashes) == 1 else None),
            ("Commit", f"{git['commit'][:12]}{changed}" if git.get("commit") else None),
            ("Result", copyable(result) if result else None),
        ]

    def _gaps(self) -> list[str]:
        told = [*(self.data["summary"].get("gaps") or ())]
        for kind in ("intent", "completion"):
            told += ((self.data.get(kind) or {}).get("predicate") or {}).get("gaps") or ()
        return list(dict.fromkeys(map(str, told)))

    def _repr_html_(self) -> str:
        tone = _STATE_TONE.get(str(self.data["summary"].get("status")), "calm")
        return card("Provenance", self._rows(), tone)

    def __repr__(self) -> str:
        plain = [
            (n, v.partition(">")[2].rpartition("</")[0] if isinstance(v, Html) else v)
            for n, v in self._rows()
        ]
        return lines("Provenance", plain)
