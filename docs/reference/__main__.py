"""``python docs/reference``: write the pages that are made from the code."""

from pathlib import Path

from qsec_jupyter.control.policy.cases import described, person
from qsec_jupyter.control.policy.context import ACTIONS, Action, Job, Situation
from qsec_jupyter.control.policy.engine import PolicyEngine
from qsec_jupyter.core.events import EVENT_TYPES
from qsec_jupyter.core.model import ROLES

HEAD = """# Event catalogue

Each ledger entry has one of these types. *Seen by* says who vouches for it: what `kernel` or `server` asserts
is repeated by the control plane, what `control` asserts it saw itself.

| Type | Meaning | Seen by |
|---|---|---|
"""


def events() -> str:
    """Return the event catalogue as Markdown."""
    return HEAD + "".join(f"| `{e.name}` | {e.meaning} | {e.asserted_by} |\n" for e in EVENT_TYPES.values())


PERMISSIONS = """# Who may do what

Made from the shipped bundle by asking it. *own*: only what one asked for oneself. *dev, test*: only in these
environments. *auto*: where the catalogue leaves the decision to policy. Beside what is written here: a lock,
another data class than the target takes, or a project of others refuses; a kernel and a workload never
decide; among several, nobody approves their own.

| Action |"""


def permissions() -> str:
    """Return the table of roles and actions as Markdown."""
    head = "".join(f" `{role}` |" for role in ROLES) + "\n|---|" + "---|" * len(ROLES) + "\n"
    rows = (f"| `{act}` |" + "".join(f" {_cell(role, act)} |" for role in ROLES) for act in ACTIONS)
    return PERMISSIONS + head + "\n".join(rows) + "\n"


def _cell(role: str, action: Action) -> str:
    engine, who = PolicyEngine.shipped(), person(role)
    if action == "submit":
        return "with an own grant" if engine.decide(who, action, described({}, {}), Job()).allowed else ""

    def may(environment: str = "production", approval: str = "review", **circumstances: bool) -> bool:
        target = described({"environment": environment, "approval": approval}, {})
        return engine.decide(who, action, target, Situation(**circumstances)).allowed

    if may():
        return "yes"
    if action == "run":
        return "with a grant" if may(granted=True) else "local"
    if may(own_request=True):
        return "own"
    if may("dev") or may("dev", own_request=True):
        return "dev, test"
    return "auto" if may(approval="auto") else ""


if __name__ == "__main__":
    (Path(__file__).parent / "events.md").write_text(events())
    (Path(__file__).parent / "permissions.md").write_text(permissions())
