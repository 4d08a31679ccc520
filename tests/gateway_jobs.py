"""Jobs for tests: submissions as a provider's module reads them, and the passes that they come with."""

import hashlib
from dataclasses import replace

from qsec_jupyter.control.gateway.model import Circuit, Field, Pass, Submission

CATALOGUE = """
[targets.lab]
title = "Lab"
provider = "sandbox"
tier = "deliver"
approval = "auto"
max_duration = "8h"
default_duration = "1h"
retrieve = "48h"
source = {{ engine = "kv-v2", path = "targets/lab", field = "token" }}
backends = ["lab_*"]
{target}

[targets.lab.envelope]
{envelope}
"""


def catalogue(envelope: str = "", target: str = "") -> str:
    return CATALOGUE.format(envelope=envelope, target=target)


def circuit(mark: str = "a", width: int = 5, depth: int = 10) -> Circuit:
    return Circuit(hashlib.sha256(mark.encode()).hexdigest(), width, depth, depth * 2)


def submission(**changes) -> Submission:
    """Return a job; its digest is of everything that is said of it, but for ``again``."""
    again = changes.pop("again", "")
    usual = {
        "provider": "sandbox",
        "program": "sampler",
        "backend": "lab_5",
        "region": "",
        "shots": 1000,
        "execution_seconds": None,
        "tags": ("pilot",),
        "session": None,
        "circuits": (circuit(),),
        "body": b"{}",
        "names": {"q-1": "my secret circuit"},
        "fields": (Field("circuit name", "q-1", "my secret circuit"),),
    }
    values = {**usual, **changes}
    digest = hashlib.sha256(repr((sorted(values.items(), key=str), again)).encode()).hexdigest()
    return Submission(**values, digest=digest)


def pass_of(plane, grant, **changes) -> Pass:
    """Return what a gateway token of a grant stands for."""
    caller = plane.owner.by(grant.kernel_id)
    return replace(Pass("pass-1", caller, grant, grant.scope), **changes)


def send(plane, holder, job, job_id):
    """Let a job pass, and have the provider take it."""
    admission = plane.jobs.admit(holder, job)
    plane.jobs.sent(admission)
    plane.jobs.answered(admission, job_id)
    return admission
