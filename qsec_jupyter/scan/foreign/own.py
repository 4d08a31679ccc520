"""The user's and the site's own rules, in the format of the shipped ones (docs/formats/rules.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...core.errors import QsecError
from ..rules import loader
from ..rules.growth import grows
from ..rules.loader import Rule
from .model import Collection, Refused

_SLOW = (
    "takes time that grows faster than the text; bound its repetitions ({0,64} instead of *) "
    "and let no two of them match the same characters"
)


def read(path: Path, content: dict[str, Any]) -> Collection:
    """Return the rules of a parsed file; what is invalid or fails its samples is refused."""
    rules: list[Rule] = []
    refused: list[Refused] = []
    for entry in content["rule"]:
        name = str(entry.get("id", "")) if isinstance(entry, dict) else ""
        try:
            rule = loader.parse({**entry, "source": str(path)}, path.name)
            loader.prove(rule)
        except QsecError as error:
            refused.append(Refused(str(path), name, error.detail))
        except (TypeError, ValueError, KeyError) as error:
            refused.append(Refused(str(path), name, f"a field has the wrong type ({type(error).__name__})"))
        else:
            slow = next((key for key in ("pattern", "trigger", "unless") if grows(getattr(rule, key))), "")
            if slow:
                refused.append(Refused(str(path), name, f"its {slow} {_SLOW}"))
            else:
                rules.append(rule)
    return Collection(tuple(rules), refused=tuple(refused))
