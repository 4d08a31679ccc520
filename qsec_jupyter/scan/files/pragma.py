"""Comments by which an author lets a value on the same line, or the next one, pass.

They count in source only. What a program prints is not its author's word: a printed comment must not be
able to switch the scanner off.
"""

from __future__ import annotations

import re

_WORDS = r"(?:pragma:\s*(?:allow|white)list\s+secret|nosec\b|gitleaks:allow|qsec:\s*allow\b)"
_NEXT = r"pragma:\s*(?:allow|white)list\s+nextline\s+secret"
_OPEN = r"(?:#|//|/\*|<!--|--|;|%)\s*"
# Compiled when a value is found, by `re` and kept there: most scans find none.
_SAME_LINE = rf"(?i)[^\S\n]*[^\n]*?{_OPEN}{_WORDS}"
_LINE_ABOVE = rf"(?i){_OPEN}{_NEXT}"
_NAMES = (
    r"(?i)(?:^|/)(?:Dockerfile|Makefile|\.env(?:\.[\w.-]+)?|\.[a-z]+rc)$"
    r"|\.(?:pyi?|r|jl|sh|bash|zsh|fish|ps1|[cm]?[jt]sx?|java|kts?|go|rs|[ch](?:pp|c|xx)?|cs|rb|php|pl|lua|scala"
    r"|swift|sql|md|rst|tex|toml|ya?ml|ini|cfg|conf|env|properties|tf|hcl|qasm)$"
)


def is_source(path: str) -> bool:
    """Tell by its name whether a text file is written by hand, in a form that has comments."""
    return bool(re.search(_NAMES, path))


def allows(text: str, start: int, end: int) -> bool:
    """Tell whether a comment lets ``text[start:end]`` pass."""
    if re.compile(_SAME_LINE).match(text, end):
        return True
    line = text.rfind("\n", 0, start)
    return line > 0 and bool(re.compile(_LINE_ABOVE).search(text, text.rfind("\n", 0, line) + 1, line))
