"""Amazon's real, unmodified SDK through the gateway, to a small Braket that checks every signature."""

import json
import time
import uuid
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("braket.aws")

from botocore.exceptions import ClientError
from braket.aws import AwsDevice, AwsQuantumTask, DirectReservation
from braket.circuits import Circuit, FreeParameter, Observable
from braket.program_sets import ProgramSet
from braket_server import ACCESS_KEY, BUCKET, DEVICE, KEY, PREFIX, REGION, SECRET_KEY, entry
from gateway_child import Gated

from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.model import moment
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.braket_session import session
from qsec_jupyter.kernel.credential import Credential

KEYS = {"amazon": KEY}
ENVELOPE = f"""
[targets.amazon.envelope]
reservations = ["arn:aws:braket:{REGION}:123456789012:reservation/*"]
"""


@pytest.fixture
def gate(tmp_path, braket_server):
    with Gated(tmp_path / "home", entry(braket_server.address) + ENVELOPE, KEYS) as found:
        yield found


@pytest.fixture
def as_aws(monkeypatch):
    """Return a function that returns the SDK's session at a gateway."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AMZN_BRAKET_OUT_S3_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    def make(gate):
        issued = gate.credential(target="amazon")
        return session(Credential(Secret(issued["value"], "amazon"), public=issued["public"]))

    return make


@pytest.fixture
def aws(gate, as_aws):
    gate.grant(target="amazon")
    return as_aws(gate)


def bell() -> Circuit:
    return Circuit().h(0).cnot(0, 1)


def test_a_task_runs_and_its_result_is_the_users_own(aws, braket_server) -> None:
    device = AwsDevice(DEVICE, aws)
    assert (device.name, device.status) == ("SV1", "ONLINE")
    task = device.run(bell(), shots=100, tags={"project": "x-ray"}, poll_interval_seconds=0.1)
    assert sum(task.result().measurement_counts.values()) == 100
    assert task.state() == "COMPLETED"
    assert task.metadata()["tags"] == {"project": "x-ray"}
    (sent,) = braket_server.seen
    assert "x-ray" not in json.dumps(sent)
    assert len(sent["tags"]) == 2  # the user's, hidden, and the one that names it in the ledger


def test_a_reservation_is_named_only_where_the_envelope_takes_it_in(aws, braket_server) -> None:
    own = f"arn:aws:braket:{REGION}:123456789012:reservation/8a1b"
    device = AwsDevice(DEVICE, aws)
    with DirectReservation(device, own):
        task = device.run(bell(), shots=10, poll_interval_seconds=0.1)
        assert sum(task.result().measurement_counts.values()) == 10
    assert braket_server.seen[-1]["associations"][0]["arn"] == own
    before = len(braket_server.seen)
    other = own.replace("123456789012", "210987654321")
    with DirectReservation(device, other), pytest.raises(ClientError, match=r"envelope\.reservation_named"):
        device.run(bell(), shots=10)
    assert len(braket_server.seen) == before


def test_a_grant_is_as_long_as_the_reservation_that_the_catalogue_names(start_gated, braket_server, as_aws):
    own, ends = f"arn:aws:braket:{REGION}:123456789012:reservation/8a1b", datetime.now(timezone.utc)
    ends += timedelta(minutes=10)
    window = f"""
[[targets.amazon.gateway.reservations]]
name = "{own}"
backend = "{DEVICE}"
start = {(ends - timedelta(hours=1)).isoformat()}
end = {ends.isoformat()}
"""
    catalogue = entry(braket_server.address, more="reservations = true") + window + ENVELOPE
    gate = start_gated(catalogue, KEYS)
    grant = gate.grant(target="amazon")
    path, until = f"/v1/grants/{grant['id']}", time.monotonic() + 20
    while (grant := gate.child.ask("GET", path)[1])["state"] != "active" and time.monotonic() < until:
        time.sleep(0.1)
    assert abs(moment(grant["expires_at"]) - ends) < timedelta(seconds=1)
    device = AwsDevice(DEVICE, as_aws(gate))
    with DirectReservation(device, own):
        task = device.run(bell(), shots=10, poll_interval_seconds=0.1)
        assert sum(task.result().measurement_counts.values()) == 10
    assert braket_server.seen[-1]["associations"][0]["arn"] == own
    with pytest.raises(ClientError, match=r"envelope\.other_reservation.*8a1b"):
        device.run(bell(), shots=10)
    assert len(braket_server.seen) == 1


def test_names_are_hidden_on_the_way_and_back_in_the_result(aws, braket_server) -> None:
    circuit = Circuit().rx(0, FreeParameter("bondlength")).expectation(Observable.Z(), 0)
    task = AwsDevice(DEVICE, aws).run(circuit, shots=0, inputs={"bondlength": 0.0}, poll_interval_seconds=0.1)
    result = task.result()
    assert result.values[0] == pytest.approx(1.0)
    (sent,) = braket_server.seen
    assert "bondlength" not in sent["action"]
    assert "bondlength" in result.additional_metadata.action.source


def test_no_key_but_the_gateways_leaves_the_kernel(aws, gate, braket_server) -> None:
    AwsDevice(DEVICE, aws).run(bell(), shots=10, poll_interval_seconds=0.1).result()
    token = aws.boto_session.get_credentials().get_frozen_credentials().token
    for method, path, headers in braket_server.requests:
        assert token not in json.dumps([method, path, headers])
        assert f"Credential={ACCESS_KEY}/" in headers["authorization"]
    assert SECRET_KEY not in json.dumps([str(event) for event in gate.events()])


def test_a_task_is_found_again_listed_and_cancelled(aws, braket_server) -> None:
    braket_server.keep_queued = True
    task = AwsDevice(DEVICE, aws).run(bell(), shots=10)
    again = AwsQuantumTask(task.id, aws)
    assert again.state() == "QUEUED"
    theirs = f"arn:aws:braket:{REGION}:123456789012:quantum-task/{uuid.uuid4()}"
    braket_server.tasks[theirs] = {**braket_server.tasks[task.id], "quantumTaskArn": theirs}
    found = aws.braket_client.search_quantum_tasks(filters=[])["quantumTasks"]
    assert [one["quantumTaskArn"] for one in found] == [task.id]
    again.cancel()
    assert again.state() == "CANCELLED"


def test_a_refusal_names_rule_and_remedy(aws, braket_server) -> None:
    with pytest.raises(ClientError) as refused:
        AwsDevice(DEVICE, aws).run(bell(), s3_destination_folder=("other", "tasks"), shots=10)
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "gateway.other_place" in str(refused.value)
    assert not braket_server.seen


def test_a_service_that_is_not_offered_goes_nowhere(aws) -> None:
    with pytest.raises(Invalid, match="does not offer"):
        aws.boto_session.client("sts")
    with pytest.raises(Invalid, match="does not offer"):
        _ = aws.iam_client


def test_the_ledger_knows_each_task(aws, gate) -> None:
    task = AwsDevice(DEVICE, aws).run(bell(), shots=10, poll_interval_seconds=0.1)
    task.result()
    kinds = [event["type"] for event in gate.events() if event["type"].startswith("job.")]
    assert kinds[:3] == ["job.intended", "job.sent", "job.accepted"]
    (accepted,) = gate.events("job.accepted")
    assert accepted["data"]["job"] == task.id or task.id in json.dumps(accepted)
    assert [event["data"]["job"] for event in gate.events("job.done")] == [task.id]


def test_a_quota_counts_the_shots_of_all_circuits_of_a_task(start_gated, braket_server, as_aws) -> None:
    quota = """
[projects.lab]
members = ["ada"]
[targets.amazon.envelope.quota]
project = { shots = 100 }
"""
    gate = start_gated(entry(braket_server.address) + quota, {"amazon": KEY})
    gate.grant(target="amazon", project="lab")
    aws = as_aws(gate)
    braket_server.keep_queued = True
    several = ProgramSet([bell(), bell(), bell()], shots_per_executable=30)
    task = AwsQuantumTask.create(aws, DEVICE, several, (BUCKET, PREFIX), shots=-1)
    assert braket_server.seen[-1]["shots"] == 90
    with pytest.raises(ClientError, match=r"quota\.exceeded.*90 of 100 shots"):
        AwsDevice(DEVICE, aws).run(bell(), shots=11)
    task.cancel()
    assert task.state() == "CANCELLED"
    assert gate.events("job.cancelled")
    assert AwsDevice(DEVICE, aws).run(bell(), shots=10).id
    assert len(braket_server.seen) == 2
