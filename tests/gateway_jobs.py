"""Jobs for tests: submissions as a provider's module reads them, and the passes that they come with."""

import hashlib
from contextlib import contextmanager
from dataclasses import replace

import catalogue as catalogues

from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.gateway.jobs.account import RemoteJob
from qsec_jupyter.control.gateway.model import Circuit, Field, Pass, Reservation, Submission
from qsec_jupyter.core.errors import Unavailable


def catalogue(envelope: str = "", target: str = "") -> str:
    """Return the target ``lab`` with these lines of its own."""
    more = f'retrieve = "48h"\nbackends = ["lab_*"]\n{target}\n[targets.lab.envelope]\n{envelope}'
    return catalogues.target("lab", more, provider="sandbox")


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


def ask(plane, kernel="k1", **wish):
    """Request the target ``lab`` from a kernel."""
    return plane.access.request(plane.owner.by(kernel), Wish("lab", kernel, reason="first run", **wish))


def send(plane, holder, job, job_id):
    """Let a job pass, and have the provider take it."""
    admission = plane.jobs.admit(holder, job)
    plane.jobs.sent(admission)
    plane.jobs.answered(admission, job_id)
    plane.jobs.follow()
    return admission


class FakeAccount:
    """A provider's account in memory, behind the real port; can be away, slow to list, or deaf to cancels."""

    def __init__(self) -> None:
        self.held: dict[str, RemoteJob] = {}
        self.sessions: dict[str, bool] = {}
        self.reserved: list[Reservation] = []
        self.away = False
        self.deaf = False
        self.asked: list[str] = []

    def take(self, job_id: str, tag: str = "", state: str = "queued", **facts) -> None:
        tags = (tag,) if tag else ()
        self.held[job_id] = RemoteJob(job_id, state, "lab_5", tags=tags, **facts)

    def change(self, job_id: str, **facts) -> None:
        self.held[job_id] = replace(self.held[job_id], **facts)

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise Unavailable("gateway.provider_away", "The provider cannot be asked")

    def find(self, tag):
        self._ask("find")
        return [job for job in self.held.values() if tag in job.tags]

    def jobs(self, since):
        self._ask("jobs")
        return [job for job in self.held.values() if job.created_at is None or job.created_at >= since]

    def job(self, job_id):
        self._ask("job")
        return self.held.get(job_id)

    def cancel(self, job_id):
        self._ask("cancel")
        if not self.deaf:
            self.change(job_id, state="cancelled")

    def close_session(self, session_id):
        self._ask("close")
        if not self.deaf:
            self.sessions[session_id] = False
        return not self.sessions.get(session_id, False)

    def reservations(self):
        self._ask("reservations")
        return list(self.reserved)

    @contextmanager
    def speak(self, target, issued):
        """Open the account, as a provider's module does with a credential."""
        assert issued.value.reveal()
        yield self
