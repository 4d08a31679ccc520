"""W3C PROV (https://www.w3.org/TR/prov-dm/) as PROV-JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from prov.model import PROV, ProvDocument

from .facts import facts

NAMESPACE = "https://qsec-jupyter.dev/provenance/"


def w3c_prov(run: dict[str, Any]) -> bytes:
    """Return a run as a PROV-JSON document: who, with what, used what and made what."""
    told = facts(run)
    document = ProvDocument()
    qsec = document.add_namespace("qsec", NAMESPACE)
    activity = document.activity(
        qsec[f"run-{told.run_id}"],
        _moment(told.started_at),
        _moment(told.ended_at),
        [("prov:label", told.title), *(("qsec:gap", gap) for gap in told.gaps)],
    )
    person = document.agent(qsec[f"person-{told.person}"], {"prov:type": PROV["Person"]})
    backend = document.agent(
        qsec["backend"], {"prov:type": PROV["SoftwareAgent"], "prov:label": told.backend}
    )
    recorder = document.agent(
        qsec["recorder"],
        {"prov:type": PROV["SoftwareAgent"], "prov:label": f"qsec-jupyter {told.recorder}"},
    )
    activity.wasAssociatedWith(person)
    activity.wasAssociatedWith(backend)
    document.actedOnBehalfOf(recorder, person, activity)
    for name, digest in told.inputs:
        activity.used(document.entity(qsec[name], {"qsec:digest": digest}))
    if told.notebook:
        path, sha256 = told.notebook
        about = {"prov:label": path, **({"qsec:digest": f"sha256:{sha256}"} if sha256 else {})}
        activity.used(document.entity(qsec["notebook"], about))
    if told.git[0]:
        about = {"qsec:commit": told.git[0], **({"prov:location": told.git[1]} if told.git[1] else {})}
        activity.used(document.entity(qsec["source"], about))
    for name, digest in told.outputs:
        document.entity(qsec[name], {"qsec:digest": digest}).wasGeneratedBy(activity)
    for kind, identity in run["envelopes"].items():
        if identity:
            statement = document.entity(qsec[kind], {"qsec:digest": f"sha256:{identity}"})
            statement.wasAttributedTo(recorder)
    return str(document.serialize(format="json", indent=1)).encode()


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None  # a kernel's clock says what it says; the statement has it word for word
