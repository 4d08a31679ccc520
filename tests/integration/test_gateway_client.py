"""The real, unmodified client of IBM through the gateway to a sandbox: all works as against the provider.

The sandbox's own tests of that client run again here, with a service that knows the gateway only.
"""

import logging
import time

import pytest

pytest.importorskip("qiskit_ibm_runtime")

import test_sandbox_client
from qiskit_ibm_runtime import Sampler
from qiskit_ibm_runtime.api.exceptions import RequestsApiError
from qiskit_ibm_runtime.exceptions import IBMRuntimeError, RuntimeJobNotFound
from test_sandbox_client import bell

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.credential import Credential
from qsec_jupyter.kernel.runtime import service as gateway_service

pytestmark = test_sandbox_client.pytestmark

ELSEWHERE = {
    "test_instance_by_name_and_by_preference",  # a gateway's target has one instance
    "test_wrong_key_and_foreign_instance",  # there is no key to be wrong
    "test_reservation_keeps_others_waiting",  # looks at the sandbox directly
    "test_expired_bearer_is_told_apart",  # healed, below
    "test_client_repeats_a_submit_after_500_and_makes_two_jobs_after_a_lost_answer",  # never two jobs, below
    "test_jobs_are_found_by_every_filter",  # its last line asks for another instance, below
}
for _name in dir(test_sandbox_client):
    if _name.startswith("test_") and _name not in ELSEWHERE:
        globals()[_name] = getattr(test_sandbox_client, _name)

backend = test_sandbox_client.backend


@pytest.fixture
def gate(shared_gated, request):
    shared_gated.kernel = request.node.name
    shared_gated.held = shared_gated.grant(kernel=shared_gated.kernel)
    yield shared_gated
    shared_gated.leave(shared_gated.kernel)


@pytest.fixture
def service(gate, sandbox):
    """A service as a kernel gets it."""
    logging.getLogger("qiskit_ibm_runtime").setLevel(logging.ERROR)
    issued = gate.credential(kernel=gate.kernel)
    return gateway_service(Credential(Secret(issued["value"], "ibm-pilot"), public=issued["public"]), {})


def test_instances_and_backends(sandbox, service):
    assert [each["crn"] for each in service.instances()] == [sandbox.crn]
    assert service.active_instance() == sandbox.crn
    names = [each.name for each in service.backends()]
    assert names == ["sandbox_manila", "sandbox_lima", "sandbox_cairo", "sandbox_brisbane"]


def test_client_says_nothing_of_saved_accounts(gate):
    logger, said = logging.getLogger("qiskit_ibm_runtime.qiskit_runtime_service"), []
    handler = logging.Handler(logging.WARNING)
    handler.emit = said.append
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    try:
        issued = gate.credential(kernel=gate.kernel)
        gateway_service(Credential(Secret(issued["value"], "ibm-pilot"), public=issued["public"]), {})
        assert not said
        logger.warning("A saved account will not be used")  # once it is built, its words are its own again
        assert len(said) == 1
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_bearer_that_the_provider_refuses_is_replaced(sandbox, backend):
    sandbox.fault("expired-token path=/api/v1/backends/*")
    assert backend.status().operational


@pytest.mark.parametrize("fault", ["drop-after", "html"])
def test_submission_whose_answer_is_lost_makes_one_job(sandbox, service, backend, fault):
    sandbox.set(execution="none")
    before = len(sandbox.jobs())
    sandbox.fault(f"{fault} path=/api/v1/jobs method=POST")
    job = Sampler(mode=backend).run([bell(backend)])
    assert job.result() is not None
    assert len(sandbox.jobs()) == before + 1
    assert job.job_id() in {each["id"] for each in sandbox.jobs()}


def test_a_provider_that_fails_at_a_submission_is_told_of_soon_and_gets_it_once(sandbox, service, backend):
    sandbox.set(execution="none")
    before = len(sandbox.jobs())
    sandbox.fault("500 path=/api/v1/jobs method=POST")
    begun = time.monotonic()
    with pytest.raises(IBMRuntimeError, match=r"Nobody knows yet.*qsec jobs show [0-9a-f]{32}"):
        Sampler(mode=backend).run([bell(backend)])
    assert time.monotonic() - begun < 25, "on a busy machine"
    assert len(sandbox.jobs()) == before, "the client did not send it again, nor did the gateway"


def test_jobs_are_found_by_every_filter(sandbox, service, backend):
    test_sandbox_client.jobs_found_by_filters(sandbox, service, backend)
    assert sorted(service.jobs(limit=1)[0].tags) == ["autumn"]
    with pytest.raises(RequestsApiError, match=r"gateway\.other_instance"):
        service.jobs(instance=sandbox.instances["sandbox-internal"])


def test_jobs_of_others_with_the_same_key_are_not_there(sandbox, gate, service, backend, monkeypatch):
    sandbox.set(execution="none")
    for name, value in sandbox.environment.items():
        monkeypatch.setenv(name, value)
    direct = sandbox.service()
    theirs = Sampler(mode=direct.backend("sandbox_manila")).run([bell(direct.backend("sandbox_manila"))])
    mine = Sampler(mode=backend).run([bell(backend)])
    assert [job.job_id() for job in service.jobs(limit=50)] == [mine.job_id()]
    with pytest.raises(RuntimeJobNotFound):
        service.job(theirs.job_id())


def test_what_is_refused_is_said_readably(gate, backend):
    sampler = Sampler(mode=backend)
    circuit = bell(backend)
    gate.revoke(gate.held, kernel=gate.kernel)
    with pytest.raises(RequestsApiError, match=r"The grant was revoked.*Ask for a new one.*grant\.revoked"):
        sampler.run([circuit])
