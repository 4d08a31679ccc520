"""The published JSON Schemas of the predicates, and what becomes of a kernel's claim that does not fit them.

A kernel may say anything, and nothing that it says may keep a run from being recorded. So each field that has
a published form is held against it; what does not fit is kept under ``unfit``, as it came, and is a gap.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from importlib import resources
from typing import Any

import fastjsonschema

Json = dict[str, Any]

COMMON = "common"
PREDICATES = ("intent", "completion")
VERSION = "v1"


@functools.lru_cache(maxsize=8)
def published(name: str) -> Json:
    """Return a published schema: ``common``, ``intent`` or ``completion``."""
    path = resources.files(__package__) / "schemas" / f"{name}.{VERSION}.json"
    schema: Json = json.loads(path.read_text("utf-8"))
    return schema


def fit(run: Json, kind: str) -> tuple[Json, list[str]]:
    """Return a claim so that it validates, and a sentence for each field that had to be set aside."""
    kept: Json = {}
    unfit: Json = {}
    fields = _fields(kind)
    for name, value in run.items():
        validate = fields.get(name)
        if name == "unfit" or (validate is not None and not _is_valid(validate, value)):
            unfit[name] = value
        else:
            kept[name] = value
    if unfit:
        kept["unfit"] = unfit
    return kept, [f"what the kernel says under {name!r} does not have the published form" for name in unfit]


def _is_valid(validate: Callable[[Any], Any], value: Any) -> bool:
    try:
        validate(value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


@functools.lru_cache(maxsize=4)
def _fields(kind: str) -> dict[str, Callable[[Any], Any]]:
    """Return a validator for each field of ``run`` that has a published form."""
    parts = published(COMMON)["$defs"]
    named = published(kind)["properties"]["run"]["properties"]
    return {name: _validator(name) for name in named if name in parts}


@functools.lru_cache(maxsize=64)
def _validator(name: str) -> Callable[[Any], Any]:
    # The library compiles draft 7, which is what these schemas' keywords mean in draft 2020-12, too.
    schema = {"$ref": f"#/$defs/{name}", "$defs": published(COMMON)["$defs"]}
    compiled: Callable[[Any], Any] = fastjsonschema.compile(schema, use_default=False)
    return compiled
