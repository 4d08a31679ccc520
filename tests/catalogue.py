"""Targets of a catalogue as an operator writes them, for tests."""

TARGET = """
[targets.{name}]
title = "{title}"
provider = "{provider}"
tier = "{tier}"
approval = "{approval}"
max_duration = "{max_duration}"
default_duration = "{default_duration}"
source = {{ engine = "kv-v2", path = "targets/{name}", field = "token" }}
{more}
"""
USUAL = {
    "provider": "simulator",
    "tier": "deliver",
    "approval": "auto",
    "max_duration": "8h",
    "default_duration": "1h",
}


def target(name: str = "sandbox", more: str = "", **instead: str) -> str:
    """Return a target; ``more`` are lines of its own, ``instead`` is what is said otherwise than usual."""
    return TARGET.format(**{"name": name, "title": name.title(), "more": more, **USUAL, **instead})
