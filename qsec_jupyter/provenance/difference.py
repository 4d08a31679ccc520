"""What differs between two recorded runs, in groups that a person thinks in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Packages = Callable[[str], Mapping[str, str] | None]

GROUPS = ("circuit", "parameters", "backend", "execution", "environment", "source", "result")
"""The groups, in the order in which they are told."""

# What is another one in each run and says nothing about what changed.
_NOISE = frozenset({"execution_count", "evidence", "chain", "seen_at", "media_type", "bytes", "saved_at"})


def difference(a: Json, b: Json, packages: Packages = lambda _: None) -> list[Json]:
    """Return what changed from run ``a`` to run ``b``.

    Args:
        a: A run's ``{"intent": statement or None, "completion": statement or None}``.
        b: The other one.
        packages: Returns the package manifest with that digest, or ``None`` where it cannot be read; then
            the digests alone are compared.

    Returns:
        For each of ``GROUPS`` in order: ``{"name", "equal", "changes": [{"field", "a", "b"}]}``; a value is
        a JSON scalar, ``None`` where a run does not have the field.
    """
    manifests = [_manifest(run, packages) for run in (a, b)]
    readable = all(manifest is not None for manifest in manifests)  # else the digests alone are compared
    sides = [
        _groups(run, manifest if readable else None) for run, manifest in zip((a, b), manifests, strict=True)
    ]
    return [_group(name, sides[0][name], sides[1][name]) for name in GROUPS]


def _group(name: str, a: Json, b: Json) -> Json:
    fields = list(dict.fromkeys([*a, *b]))
    changes = [
        {"field": field, "a": a.get(field), "b": b.get(field)}
        for field in fields
        if a.get(field) != b.get(field)
    ]
    return {"name": name, "equal": not changes, "changes": changes}


def _groups(run: Json, manifest: Json | None) -> dict[str, Json]:
    intent, completion = _claims(run.get("intent")), _claims(run.get("completion"))
    said = {**completion, **intent}  # the intent says it in full; a lost one leaves the completion
    execution = dict(said.get("execution") or {})
    circuits, parameters = execution.pop("circuits", None), execution.pop("parameters", None)
    environment = dict(said.get("environment") or {})
    if manifest is not None:
        environment["packages"] = manifest
    source = {**(said.get("source") or {}), "notebook": _notebook(run)}
    result = {"status": completion.get("status"), "error_type": completion.get("error_type")}
    return {
        "circuit": _circuits(circuits),
        "parameters": _flat(parameters or {}),
        "backend": _flat({"operation": said.get("operation"), **(said.get("backend") or {})}),
        "execution": _flat({"framework": said.get("framework"), **execution}),
        "environment": _flat(environment),
        "source": _flat(source),
        "result": _flat({**result, **(completion.get("result") or {})}),
    }


def _claims(statement: Any) -> Json:
    claims = ((statement or {}).get("predicate") or {}).get("run")
    return claims if isinstance(claims, dict) else {}


def _notebook(run: Json) -> Any:
    predicate = (run.get("intent") or run.get("completion") or {}).get("predicate") or {}
    return (predicate.get("server") or {}).get("notebook") or {}


def _circuits(circuits: Any) -> Json:
    """Compare circuits by what they do; QPY is another one each time a parameter is made."""
    found: Json = {}
    given = circuits if isinstance(circuits, list) else []
    found["count"] = len(given)
    for position, entry in enumerate(given):
        circuit = entry if isinstance(entry, dict) else {}
        told = {key: value for key, value in circuit.items() if key not in {"qpy", "gaps"}}
        if not isinstance(told.get("structural_hash"), dict):
            told["qpy"] = (circuit.get("qpy") or {}).get("sha256")
        found.update(_flat(told, f"[{position}]."))
    return found


def _manifest(run: Json, packages: Packages) -> Json | None:
    said = {**_claims(run.get("completion")), **_claims(run.get("intent"))}
    reference = (said.get("environment") or {}).get("packages")
    sha256 = reference.get("sha256") if isinstance(reference, dict) else None
    read = packages(sha256) if isinstance(sha256, str) else None
    return None if read is None else dict(read)


def _flat(value: Any, prefix: str = "") -> Json:
    return dict(_fields(value, prefix))


def _fields(value: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key in sorted(value):
            if key not in _NOISE:
                yield from _fields(value[key], f"{prefix}{key}.")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _fields(item, f"{prefix.removesuffix('.')}[{position}].")
    elif value is not None:
        yield prefix.removesuffix("."), value
