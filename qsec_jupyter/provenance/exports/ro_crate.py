"""A Process Run Crate (https://w3id.org/ro/wfrun/process/0.5): a zip of a run's description and its proof."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from .facts import Facts, facts

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
BUNDLE = "run.intoto.jsonl"
_STATUS = {True: "FailedActionStatus", False: "CompletedActionStatus", None: "ActiveActionStatus"}


def ro_crate(run: dict[str, Any], bundle: bytes) -> bytes:
    """Return the crate as a zip.

    Args:
        run: The run, as the index of runs answers it.
        bundle: Its in-toto bundle, which goes into the crate: whoever has the crate can verify it.
    """
    told = facts(run)
    crate = ROCrate(version="1.1")
    crate.name, crate.description = f"Quantum run {told.run_id}", told.title
    crate.license = "Not stated"
    profile = crate.add(
        ContextEntity(
            crate, PROFILE, {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
        )
    )
    crate.root_dataset["conformsTo"] = profile
    crate.root_dataset["mentions"] = _action(crate, told)
    crate.add_file(
        io.BytesIO(bundle),
        BUNDLE,
        properties={"name": "Signed in-toto statements", "encodingFormat": "application/vnd.in-toto+dsse"},
    )
    with tempfile.TemporaryDirectory(prefix="qsec-export-") as folder:
        path = Path(folder) / "crate.zip"
        crate.write_zip(path)
        return path.read_bytes()


def _action(crate: ROCrate, told: Facts) -> ContextEntity:
    instrument = _instrument(crate, told)
    person = ContextEntity(
        crate, f"#person-{told.person}", {"@type": "Person", "name": "a person known to the journal"}
    )
    given = [_digested(crate, name, digest) for name, digest in told.inputs]
    given += [_notebook(crate, *told.notebook)] if told.notebook else []
    action = ContextEntity(
        crate,
        f"#run-{told.run_id}",
        {
            "@type": "CreateAction",
            "name": told.title,
            "startTime": told.started_at,
            "endTime": told.ended_at,
            "actionStatus": f"http://schema.org/{_STATUS[told.failed]}",
            "description": "Not known: " + "; ".join(told.gaps)
            if told.gaps
            else "Nothing is known to be missing.",
        },
    )
    crate.add(person, action)
    action["instrument"], action["agent"], action["object"] = instrument, person, given
    action["result"] = [_digested(crate, name, digest) for name, digest in told.outputs]
    return action


def _instrument(crate: ROCrate, told: Facts) -> ContextEntity:
    requires = [
        crate.add(
            ContextEntity(
                crate, f"#{name}", {"@type": "SoftwareApplication", "name": name, "version": version}
            )
        )
        for name, version in told.frameworks
    ]
    backend = {
        "@type": "SoftwareApplication",
        "name": told.backend,
        "version": told.backend_version or "not known",
    }
    instrument = crate.add(ContextEntity(crate, f"#backend-{told.backend}", backend))
    instrument["softwareRequirements"] = requires
    return instrument


def _digested(crate: ROCrate, name: str, digest: str) -> ContextEntity:
    about = {"@type": "PropertyValue", "name": name, "propertyID": digest.partition(":")[0], "value": digest}
    return crate.add(ContextEntity(crate, f"#{name}", about))


def _notebook(crate: ROCrate, path: str, sha256: str | None) -> ContextEntity:
    about = {"@type": "SoftwareSourceCode", "name": path, "programmingLanguage": "Python"}
    if sha256:
        about["sha256"] = sha256
    return crate.add(ContextEntity(crate, "#notebook", about))
