"""``python docs/reference``: write the pages that are made from the code."""

from pathlib import Path

from qsec_jupyter.core.events import EVENT_TYPES

HEAD = """# Event catalogue

Each ledger entry has one of these types. *Seen by* says who vouches for it: what `kernel` or `server` asserts
is repeated by the control plane, what `control` asserts it saw itself.

| Type | Meaning | Seen by |
|---|---|---|
"""


def events() -> str:
    """Return the event catalogue as Markdown."""
    return HEAD + "".join(f"| `{e.name}` | {e.meaning} | {e.asserted_by} |\n" for e in EVENT_TYPES.values())


if __name__ == "__main__":
    (Path(__file__).parent / "events.md").write_text(events())
