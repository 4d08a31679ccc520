"""Verifies a bundle with nothing but what lies in it, and says what that rests on.

Signatures, entries, proofs and checkpoint must fit one another. Whether the keys are the right ones a file
cannot say of itself: the report names them, and says which of them are trusted already.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.canonical import canonical_bytes, sha256_hex
from ..core.signing import key_id
from . import checkpoint as checkpoints
from .bundle import Bundle
from .keys import ArchivedKey, read_key, signs_entry
from .merkle import leaf_hash, verify_inclusion
from .statements import PREDICATE_TYPES, Entry, Statements
from .verify import Problem

_TYPES = frozenset(PREDICATE_TYPES)


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What was verified, and what it rests on.

    Attributes:
        run_id: Of which run.
        statements: Ids of the statements.
        covered: Whether a signed checkpoint covers their entries.
        keys: Ids of the keys in the bundle.
        untrusted: Those of them that were not known before.
    """

    run_id: str
    journal: str
    statements: tuple[str, ...]
    covered: bool
    keys: tuple[str, ...]
    untrusted: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """Whether everything fits."""
        return not self.problems


def verify_bundle(bundle: Bundle, trusted: frozenset[str]) -> BundleReport:
    """Verify a bundle.

    Args:
        bundle: What was read.
        trusted: Ids of keys that are known from elsewhere, such as this machine's own journals.
    """
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="qsec-verify-") as name:
        folder = Path(name)
        keys = _keys(bundle, folder, problems)
        ids = _lay_out(bundle, folder)
        statements = Statements(folder, keys)
        runs: set[str] = set()
        for entry in _entries(bundle, problems):
            problems += [Problem(record, what) for record, what in statements.check(entry)]
            runs.add(str(entry.event["data"].get("run")))
    problems += [
        Problem(f"statement {identity[:12]}", "no entry names it")
        for identity in ids
        if identity not in statements.seen
    ]
    if len(runs) != 1:
        problems.append(Problem("entries", "they are not about one run"))
    covered = _check_checkpoint(bundle, keys, problems)
    untrusted = tuple(sorted(set(keys) - trusted))
    run_id = runs.pop() if len(runs) == 1 else ""
    return BundleReport(run_id, bundle.journal, ids, covered, tuple(sorted(keys)), untrusted, tuple(problems))


def _keys(bundle: Bundle, folder: Path, problems: list[Problem]) -> dict[str, ArchivedKey]:
    """Read the keys as an archive is read: each in its one form and signed by one of them."""
    found: dict[str, tuple[ArchivedKey, str, bytes]] = {}
    for number, raw in enumerate(bundle.keys):
        try:
            # What an entry calls itself reaches no path: read_key compares it with the name that the key has.
            path = folder / f"{key_id(bytes.fromhex(json.loads(raw)['key']['public_key']))}.json"
            path.write_bytes(raw)
            found[path.stem] = read_key(path)
            path.unlink()
        except (ValueError, KeyError, TypeError, OSError):
            problems.append(Problem(f"key {number}", "this is not an archived key in its one form"))
    for identity, (key, signed_by, signature) in found.items():
        signing = found.get(signed_by)
        if signing is None or not signs_entry(signing[0].raw, key, signature):
            problems.append(Problem(f"key {identity[:12]}", "no key of the bundle signed its entry"))
    return {identity: key for identity, (key, _, _) in found.items()}


def _lay_out(bundle: Bundle, folder: Path) -> tuple[str, ...]:
    """Put the statements where the verifier of journals reads them, under their own digests."""
    ids = []
    for raw in bundle.statements:
        ids.append(sha256_hex(raw))
        (folder / f"{ids[-1]}.json").write_bytes(raw)
    return tuple(ids)


def _entries(bundle: Bundle, problems: list[Problem]) -> Iterator[Entry]:
    for index, payload, _ in sorted(bundle.entries):
        record = f"entry {index}"
        try:
            event: Any = json.loads(payload)
            sound = (
                canonical_bytes(event) == payload
                and event["index"] == index
                and event["type"] in _TYPES
                and isinstance(event["data"], dict)
                and isinstance(event["time"], str)
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            sound = False
        if sound:
            yield Entry(record, index, event)
        else:
            problems.append(Problem(record, "it is not the entry of a statement"))


def _check_checkpoint(bundle: Bundle, keys: dict[str, ArchivedKey], problems: list[Problem]) -> bool:
    if not bundle.checkpoint:
        return False
    try:
        made = checkpoints.parse(bundle.checkpoint)
    except ValueError:
        problems.append(Problem("checkpoint", "this is not a checkpoint in its one form"))
        return False
    if made.verify([key.raw for key in keys.values()]) is None:
        problems.append(Problem("checkpoint", "no key of the bundle signed it"))
    if made.origin != checkpoints.origin(bundle.journal):
        problems.append(Problem("checkpoint", "it is another journal's"))
    for index, payload, proof in bundle.entries:
        if not verify_inclusion(leaf_hash(payload), index, made.size, proof, made.root):
            problems.append(Problem(f"entry {index}", "the proof does not lead to the checkpoint"))
    return True
