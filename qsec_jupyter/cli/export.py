"""``qsec export``: a recorded run in a form that others read and can verify."""

from __future__ import annotations

import json
import os
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from ..control.evidence.reading import Journal


class Form(str, Enum):
    """What can be written."""

    RO_CRATE = "ro-crate"
    PROV = "prov"
    CYCLONEDX = "cyclonedx"
    IN_TOTO = "in-toto"


_SUFFIX = {
    Form.RO_CRATE: ".crate.zip",
    Form.PROV: ".prov.json",
    Form.CYCLONEDX: ".cdx.json",
    Form.IN_TOTO: ".intoto.jsonl",
}


def export(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="A run's id, or its beginning.")],
    form: Annotated[Form, typer.Option("--format", "-f", help="Which standard.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A file; '-' is standard output. Default: after the run."),
    ] = None,
) -> None:
    """Write a recorded run as a Process Run Crate, W3C PROV, CycloneDX or a verifiable in-toto bundle."""
    from ..control.evidence import reading

    journal, whole = reading.find(reading.open_journals(os.environ), run_id)
    run = journal.runs.get(whole)
    try:
        data = _made(form, journal, run)
    except ModuleNotFoundError as error:
        raise Unavailable(
            "install.extra_missing",
            "A part of qsec-jupyter is not installed",
            f"`qsec export --format {form.value}` needs the package {error.name}.",
            "Install it with: pip install 'qsec-jupyter[export]'",
        ) from error
    if output is not None and str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    path = output or Path(f"run-{whole[:12]}{_SUFFIX[form]}")
    if path.exists():
        raise Invalid("export.exists", "That file is there already", str(path), "Name another with --output.")
    path.write_bytes(data)
    print(path)


def _made(form: Form, journal: Journal, run: dict[str, Any]) -> bytes:
    if form is Form.IN_TOTO:
        return _bundle(journal, run)
    if form is Form.RO_CRATE:
        from ..provenance.exports.ro_crate import ro_crate

        return ro_crate(run, _bundle(journal, run))
    if form is Form.PROV:
        from ..provenance.exports.w3c_prov import w3c_prov

        return w3c_prov(run)
    return _bill_of_materials(journal, run)


def _bundle(journal: Journal, run: dict[str, Any]) -> bytes:
    from ..control.evidence.reading import journal_id
    from ..ledger import bundle

    named = {identity: run["ledger"][kind] for kind, identity in run["envelopes"].items() if identity}
    return bundle.make(journal.path, journal_id(journal.path), named)


def _bill_of_materials(journal: Journal, run: dict[str, Any]) -> bytes:
    from ..control.evidence.reading import artefact
    from ..provenance.exports.cyclonedx import cyclonedx

    said = (((run["intent"] or {}).get("predicate") or {}).get("run") or {}).get("environment") or {}
    manifest = artefact(journal, said.get("packages"))
    if manifest is None:
        raise NotFound(
            "export.no_manifest",
            "The packages of this run are not known",
            "Its manifest was not kept as evidence.",
            "The run's gaps say why, where it is known.",
        )
    return cyclonedx(run, json.loads(manifest), said["packages"]["sha256"])
