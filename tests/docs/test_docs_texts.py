"""What the server can say in the panel stands in the panel's list of texts, and German for each of it."""

import ast
import json
import re
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "qsec_jupyter"
SHOWN = [
    *(f"control/{name}.py" for name in (
        "access", "asking", "grants", "book", "locks", "series", "upkeep", "store", "sessions", "health",
    )),
    "control/credentials/vault_errors.py", "control/gateway/jobs/listing.py", "control/api/grants.py",
    "core/duration.py", "server/control_plane.py", "server/share.py",
    "server/sharing.py", "server/save/guard.py",
    *(str(path.relative_to(PACKAGE)) for path in (PACKAGE / "server" / "handlers").glob("*.py")),
]  # fmt: skip
"""What panel, dialogs and editor reach. Refusals that only a program or a notebook meets stay English."""

ELSEWHERE = {  # meets whoever calls the API by hand
    "since and wait are numbers", "fingerprints is a list of texts.", "What to keep cannot be read",
    "It is an object of %1.",
    "The rule: submit, or metadata, which runs nothing. A job brings the right to its results.",
    "Leave the scope out to submit, or the payload to look only.", "A kernel asks for itself only",
    "The rule: a grant belongs to the kernel that asks.", "Ask from the notebook that needs the grant.",
    "A grant sees the jobs that it made itself.", "The session is gone", "The lease is gone",
    "%1 %2 of at most %3.",
}  # fmt: skip
REFUSALS = {"Invalid", "Denied", "NotFound", "Conflict", "Unavailable", "Bug"}


def text_of(node: ast.expr) -> str | None:
    """Return a literal or f-string as the list writes it: ``%1`` for the first value."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        numbers = iter(range(1, 10))
        parts = (one.value if isinstance(one, ast.Constant) else f"%{next(numbers)}" for one in node.values)
        return "".join(parts)
    return None


def said_in(path: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS:
            words = [text_of(one) for one in (*node.args[1:], *(one.value for one in node.keywords))]
            found |= {word for word in words if word}
    return found


def advice() -> set[str]:
    text = (PACKAGE / "control/policy/shipped/grants.cedar").read_text()
    return set(re.findall(r'@advice\("([^"]+)"\)', text))


def rules() -> set[str]:
    found: set[str] = set()

    def walk(part: object) -> None:
        if isinstance(part, dict):
            found.update(part[key] for key in ("title", "remedy") if isinstance(part.get(key), str))
        for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            walk(one)

    for file in sorted((PACKAGE / "scan").rglob("*.toml")):
        walk(tomllib.loads(file.read_text()))
    return found


def listed() -> list[str]:
    source = (ROOT / "src" / "serverTexts.ts").read_text()
    block = source.partition("SERVER_TEXTS: readonly string[] = [")[2].partition("\n];")[0]
    return [ast.literal_eval(one) for one in re.findall(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", block)]


def pattern_of(text: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"%\d", "(.+)", re.escape(text).replace("\\%", "%")))


def test_everything_that_the_panel_shows_of_the_server_can_be_translated() -> None:
    patterns = [pattern_of(text) for text in listed()]
    said = set().union(*(said_in(path) for path in SHOWN), advice(), rules()) - ELSEWHERE
    # What is made of values only, or says what a Vault was asked, is nothing to translate.
    said = {text for text in said if len(re.sub(r"%\d", "", text)) > 9}
    missing = [text for text in sorted(said) if not any(one.fullmatch(text) for one in patterns)]
    assert missing == []


def test_german_is_there_for_each_of_them() -> None:
    catalogue = json.loads((PACKAGE / "locale/de_DE/LC_MESSAGES/qsec_jupyter.json").read_text())
    assert [text for text in listed() if text not in catalogue] == []
