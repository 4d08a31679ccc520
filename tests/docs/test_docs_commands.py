"""What the documentation tells a reader to type exists, and generated pages are up to date."""

import re
import runpy
from pathlib import Path

import pytest

from qsec_jupyter.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def fences(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, text)
        for page in PAGES
        for kind, text in FENCE.findall(page.read_text())
        if kind == language
    ]


@pytest.mark.parametrize(("page", "code"), fences("python"))
def test_python_in_the_docs_compiles_and_calls_what_exists(page: str, code: str) -> None:
    import qsec_jupyter

    compile(code, page, "exec")
    for name in re.findall(r"\bqsec\.(\w+)", code):
        assert name in qsec_jupyter.__all__


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_docs_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in re.findall(r"`(?:``(?:bash|text)\n)?((?:make|qsec) [^`]*)`", text):
        for tool, name in re.findall(r"^(make|qsec) ([a-z][a-z-]*)", block, re.MULTILINE):
            assert name in (COMMANDS if tool == "qsec" else targets), f"{tool} {name}"


def test_generated_pages_are_up_to_date() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "reference" / "__main__.py"))
    for page in ("events", "permissions"):
        assert (ROOT / "docs" / "reference" / f"{page}.md").read_text() == pages[page]()


def test_the_threat_model_names_every_attack_and_nothing_else() -> None:
    text = (ROOT / "docs" / "developers" / "threat-model.md").read_text()
    named = {pattern: set(ROOT.glob(pattern)) for pattern in re.findall(r"`(tests/[^`]+)`", text)}
    assert [pattern for pattern, found in named.items() if not found] == []
    attacks = set((ROOT / "tests" / "attack").glob("test_*.py"))
    assert attacks - set().union(*named.values()) == set()
