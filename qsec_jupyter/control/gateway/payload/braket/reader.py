"""Reads a task of Amazon Braket, as a worker does it: decode, check, measure, hide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ...model import Circuit, Field, Submission
from .. import refusals, text
from ..limits import MEGABYTE, Limits
from ..names import Names, is_automatic
from ..openqasm import Program
from ..reading import Reading
from ..restorer import Restorer
from .pragmas import PRAGMAS

_PROGRAM, _PROGRAM_SET = "braket.ir.openqasm.program", "braket.ir.openqasm.program_set"
_KNOWN = frozenset(
    {
        "action",
        "associations",
        "clientToken",
        "deviceArn",
        "deviceParameters",
        "experimentalCapabilities",
        "outputS3Bucket",
        "outputS3KeyPrefix",
        "shots",
        "tags",
    }
)
_NEEDED = ("action", "deviceArn", "outputS3Bucket", "outputS3KeyPrefix")
_AUTOMATIC = frozenset({"b"})
"""What the SDK itself calls the measured bits; ``q`` is what it calls the qubits."""

_RESERVED = "RESERVATION_TIME_WINDOW_ARN"

MAX_TAGS = 50
_OFF = "Hiding is off for this target."
_RUNS = "The vendor's machine carries it out."


def read(body: bytes, how: Reading) -> Submission:
    """Read a task.

    Raises:
        Invalid: ``payload.`` and ``too_large``, ``malformed``, ``too_costly`` or ``unsupported``.
    """
    limits = how.limits
    if len(body) > limits.body:
        raise refusals.too_large("As submitted", f"{limits.body // MEGABYTE} MB")
    told = text.read(body, limits.nesting)
    _check(told)
    action = text.read(told["action"].encode("utf-8", "surrogatepass"), limits.nesting)
    given = _programs(action)
    programs = [Program(one["source"], limits.instructions, PRAGMAS) for one in given]
    found: list[Circuit] = []
    for program, one in zip(programs, given, strict=True):
        found += [program.circuit()] * _sets(one)
    if len(found) > limits.circuits:
        raise refusals.too_costly(f"more than {limits.circuits} circuits")
    tags = dict(told.get("tags") or {})
    names = Names(how.key)
    if how.hide:
        names.rank(())
        for program, one in zip(programs, given, strict=True):
            _hide(names, program, one)
        told["action"] = text.write(action).decode()
        if tags:
            told["tags"] = {
                names.hide(key): names.hide(value) if value else "" for key, value in tags.items()
            }
    return Submission(
        provider="braket",
        program=action["braketSchemaHeader"]["name"].rpartition(".")[2],
        backend=told["deviceArn"],
        region=told["deviceArn"].split(":")[3],
        shots=told.get("shots"),
        execution_seconds=None,
        tags=tuple(f"{key}={value}" if value else key for key, value in tags.items()),
        session=None,
        circuits=tuple(found),
        reservation=_reservation(told.get("associations")),
        pulses=any(program.pulses for program in programs),
        body=text.write(told) if how.hide else body,
        digest=hashlib.sha256(body).hexdigest(),
        names=dict(names.originals),
        fields=_fields(told, tags, programs, found, names if how.hide else None),
    )


def restore(body: bytes, names: Mapping[str, str], limits: Limits) -> bytes:
    """Return an answer as if nothing had been hidden: names stand in it as text."""
    restorer = Restorer(names)
    return restorer.feed(body) + restorer.finish()


def _check(told: dict[str, Any]) -> None:
    """Refuse a task with anything in it that Braket's own client does not write."""
    if set(told) - _KNOWN:
        raise refusals.unsupported("a field that the provider's client does not write, or a hybrid job's")
    if any(not isinstance(told.get(name), str) or not told[name] for name in _NEEDED):
        raise refusals.malformed("a task needs a program, a device and a place for results")
    if told["deviceArn"].count(":") < 5 or not told["deviceArn"].startswith("arn:aws:braket:"):
        raise refusals.malformed("a device that is none of Braket's")
    if told.get("shots") is not None and (type(told["shots"]) is not int or told["shots"] < 0):
        raise refusals.malformed("shots are no whole number")
    tags = told.get("tags")
    if tags is not None and not (isinstance(tags, dict) and all(isinstance(v, str) for v in tags.values())):
        raise refusals.malformed("tags are no names with texts")
    if len(tags or ()) > MAX_TAGS:
        raise refusals.too_large("Tags", str(MAX_TAGS))


def _reservation(told: Any) -> str:
    """Return the reservation that a task is to run in, as the SDK's ``DirectReservation`` writes it."""
    if not told:
        return ""
    if (
        not isinstance(told, list)
        or len(told) != 1
        or not isinstance(told[0], dict)
        or set(told[0]) != {"arn", "type"}
        or told[0]["type"] != _RESERVED
        or not isinstance(told[0]["arn"], str)
        or not told[0]["arn"]
    ):
        raise refusals.unsupported("an association that is no reservation")
    return str(told[0]["arn"])


def _programs(action: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the programs of an action, each with ``source`` and perhaps ``inputs``."""
    header = action.get("braketSchemaHeader")
    name = header.get("name") if isinstance(header, dict) else None
    if name == _PROGRAM_SET:
        programs = action.get("programs")
    elif name == _PROGRAM:
        programs = [action]
    else:
        raise refusals.unsupported("a program that is not in OpenQASM", "Submit it as OpenQASM 3.")
    if not isinstance(programs, list) or not programs:
        raise refusals.malformed("a set of programs that has none")
    for one in programs:
        if not isinstance(one, dict) or not isinstance(one.get("source"), str):
            raise refusals.malformed("a program without a text")
        if not isinstance(one.get("inputs") or {}, dict):
            raise refusals.malformed("a program's inputs have no names")
    return programs


def _sets(program: dict[str, Any]) -> int:
    """Return how many sets of inputs a program is run with."""
    lengths = [len(value) for value in (program.get("inputs") or {}).values() if isinstance(value, list)]
    return max([1, *lengths])


def _hide(names: Names, program: Program, one: dict[str, Any]) -> None:
    def new(name: str) -> str:
        return name if is_automatic(name) or name in _AUTOMATIC else names.hide(name)

    one["source"] = program.renamed(new)
    if one.get("inputs"):
        one["inputs"] = {new(key): value for key, value in one["inputs"].items()}


def _fields(
    told: dict[str, Any],
    tags: dict[str, str],
    programs: list[Program],
    found: list[Circuit],
    names: Names | None,
) -> tuple[Field, ...]:
    """Return what Amazon will see, field by field."""
    opaque = {original: token for token, original in names.originals.items()} if names else {}
    listed = []
    for name in dict.fromkeys(name for program in programs for name in program.names):
        sent = opaque.get(name, name)
        why = "" if name in opaque else _OFF if names is None else "The SDK gives this name; it says nothing."
        listed.append(Field("name in the program", sent, name, why))
    for key, value in tags.items():
        own = f"{key}={value}"
        sent = f"{opaque[key]}={opaque.get(value, '')}" if names else own
        listed.append(Field("tag", sent, own, "" if names else _OFF))
    shapes = "; ".join(f"{c.width} qubits, depth {c.depth}, {c.size} instructions" for c in found[:5])
    return (
        *listed,
        Field("comments", "none" if names else "as written", "as written", "" if names else _OFF),
        *[
            Field(name, sent, sent, why)
            for name, sent, why in (
                ("circuit structure", f"{len(found)}: {shapes}", _RUNS),
                ("values of inputs", "as submitted", _RUNS),
                ("shots", str(told.get("shots")), _RUNS),
                ("device", told["deviceArn"], "It chooses where the task runs."),
                ("device parameters", _short(told.get("deviceParameters")), _RUNS),
                ("reservation", _reservation(told.get("associations")) or "none", _RUNS),
                ("place of results", _place(told), "The vendor writes results there."),
                ("account and time", "the project's account, when it was sent", "The vendor bills by them."),
            )
        ],
    )


def _place(told: dict[str, Any]) -> str:
    return f"s3://{told['outputS3Bucket']}/{told['outputS3KeyPrefix']}"


def _short(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"
