"""Attack: what is signed with a gateway token reaches the catalogue's place, and nothing else."""

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone

import pytest
import requests

pytest.importorskip("braket.aws")

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from braket_server import ACCESS_KEY, ACCOUNT, BUCKET, DEVICE, KEY, PREFIX, REGION, SECRET_KEY, entry
from gateway_child import Gated

from qsec_jupyter.control.gateway.providers.braket.signing import access_key_of
from qsec_jupyter.core.model import moment

KEYS = dict.fromkeys(("amazon", "other"), KEY)
SOURCE = "OPENQASM 3.0;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];\n"


@pytest.fixture
def gate(tmp_path, braket_server):
    both = entry(braket_server.address) + entry(braket_server.address, "other")
    with Gated(tmp_path / "home", both, KEYS) as found:
        yield found


class Client:
    """Signs as boto3 does, and may then change what it has signed."""

    def __init__(self, gate, kernel="k1", target="amazon", **wish) -> None:
        self.gate, self.target = gate, target
        gate.grant(kernel, target, **wish)
        self.token = gate.credential(kernel, target)["value"]

    def send(self, method, path, body=b"", *, api="braket", region=REGION, target=None, change=None, skew=0):
        url = f"{self.gate.address(target or self.target)}/{api}{path}"
        keys = Credentials(access_key_of(self.token), self.token, self.token)
        request = AWSRequest(method, url, {"content-type": "application/json"}, body)
        kind = S3SigV4Auth if api == "s3" else SigV4Auth
        signer = kind(keys, api, region)
        if skew:
            _sign_at(signer, request, time.time() + skew)
        else:
            signer.add_auth(request)
        sent = {"url": url, "headers": dict(request.headers.items()), "data": body}
        if change:
            change(sent)
        with requests.Session() as session:
            session.trust_env = False
            prepared = requests.Request(
                method, sent["url"], headers=sent["headers"], data=sent["data"]
            ).prepare()
            prepared.url = sent["url"]
            return session.send(prepared, timeout=30, allow_redirects=False)

    def submit(self, **instead):
        return self.send("POST", "/quantum-task", task(**instead))


def _sign_at(signer, request, seconds) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
    request.context["timestamp"] = stamp
    signer._modify_request_before_signing(request)
    del request.headers["X-Amz-Date"]
    request.headers["X-Amz-Date"] = stamp
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))


def task(**instead) -> bytes:
    header = {"name": "braket.ir.openqasm.program", "version": "1"}
    body = {
        "action": json.dumps({"braketSchemaHeader": header, "source": instead.pop("source", SOURCE)}),
        "deviceArn": DEVICE,
        "outputS3Bucket": BUCKET,
        "outputS3KeyPrefix": PREFIX,
        "shots": 10,
        "clientToken": str(uuid.uuid4()),
        **instead,
    }
    return json.dumps(body).encode()


def folder(answer) -> str:
    return answer.json()["quantumTaskArn"].rpartition("/")[2]


def test_an_honest_client_gets_through(gate) -> None:
    client = Client(gate)
    answer = client.submit()
    assert answer.status_code == 201, answer.text
    got = client.send("GET", f"/{BUCKET}/{PREFIX}/{folder(answer)}/results.json", api="s3")
    assert got.status_code == 200


def test_what_was_changed_after_signing_is_refused(gate, braket_server) -> None:
    client = Client(gate)
    changes = {
        "body": lambda sent: sent.update(data=sent["data"].replace(b'"shots": 10', b'"shots": 99')),
        "path": lambda sent: sent.update(url=sent["url"].replace("/quantum-task", "/devices")),
        "type": lambda sent: sent["headers"].update({"content-type": "text/plain"}),
        "date": lambda sent: sent["headers"].update({"X-Amz-Date": "20260101T000000Z"}),
        "signature": lambda sent: sent["headers"].update(
            Authorization=sent["headers"]["Authorization"][:-4] + "0000"
        ),
        "key": lambda sent: sent["headers"].update(
            Authorization=sent["headers"]["Authorization"].replace("Credential=QSEC", "Credential=AKIA")
        ),
        "unsigned token": lambda sent: sent["headers"].update(
            Authorization=sent["headers"]["Authorization"].replace(";x-amz-security-token", "")
        ),
    }
    for name, change in changes.items():
        answer = client.send("POST", "/quantum-task", task(), change=change)
        assert answer.status_code == 403, (name, answer.status_code, answer.text)
        assert "gateway.signature" in answer.text, name
    assert not braket_server.seen


@pytest.mark.parametrize("skew", [-3600, 3600])
def test_an_old_or_early_signature_is_refused(gate, braket_server, skew) -> None:
    answer = Client(gate).send("POST", "/quantum-task", task(), skew=skew)
    assert answer.status_code == 403
    assert not braket_server.seen


def test_another_region_service_or_target_is_refused(gate, braket_server) -> None:
    client = Client(gate)
    assert client.send("POST", "/quantum-task", task(), region="eu-west-2").status_code == 403
    assert client.send("POST", "/quantum-task", task(), target="other").status_code == 403
    for arn in (
        f"arn:aws:braket:eu-west-2:{ACCOUNT}:quantum-task/{uuid.uuid4()}",
        f"arn:aws:s3:::{BUCKET}/quantum-task/{uuid.uuid4()}",
        f"arn:aws:braket:{REGION}:{ACCOUNT}:job/{uuid.uuid4()}",
    ):
        encoded = arn.replace(":", "%3A").replace("/", "%2F")
        assert client.send("GET", f"/quantum-task/{encoded}").status_code == 404, arn
    for path in ("/job", "/jobs", "/spending-limit", "/tags/x", "/quantum-task/../devices", "//devices"):
        assert client.send("POST", path, b"{}").status_code in {403, 404}, path
    assert not braket_server.seen


def test_results_go_to_the_catalogues_place_only(gate, braket_server) -> None:
    client = Client(gate)
    for instead in (
        {"outputS3Bucket": "elsewhere"},
        {"outputS3KeyPrefix": "tasks/../other"},
        {"outputS3KeyPrefix": "tasks-other"},
        {"outputS3KeyPrefix": ""},
    ):
        answer = client.submit(**instead)
        assert answer.status_code in {400, 403}, instead
    twice = task()[:-1] + b', "outputS3Bucket": "elsewhere"}'
    assert client.send("POST", "/quantum-task", twice).status_code in {400, 403}
    assert not braket_server.seen


def test_only_the_folder_of_ones_own_task_is_read(gate, braket_server) -> None:
    mine, theirs = Client(gate, "k1"), Client(gate, "k2")
    own, other = folder(mine.submit()), folder(theirs.submit())
    braket_server.objects |= {
        f"{BUCKET}/{PREFIX}/not-yours.json": b"canary-object",
        f"{BUCKET}/secret.json": b"canary-object",
        "elsewhere/tasks/secret.json": b"canary-object",
    }
    paths = [
        f"/{BUCKET}/{PREFIX}/{other}/results.json",
        f"/{BUCKET}/{PREFIX}/not-yours.json",
        f"/{BUCKET}/secret.json",
        f"/{BUCKET}/{PREFIX}/{own}/../not-yours.json",
        f"/{BUCKET}/{PREFIX}/{own}/..%2Fnot-yours.json",
        f"/{BUCKET}/{PREFIX}/{own}%2F..%2F..%2Fsecret.json",
        f"/{BUCKET}/{PREFIX}/{own}/",
        f"/{BUCKET}/{PREFIX}//{own}/results.json",
        f"/elsewhere/{PREFIX}/{own}/results.json",
        f"/elsewhere/{PREFIX}/secret.json",
        f"/{BUCKET}",
        "/",
    ]
    for path in paths:
        answer = mine.send("GET", path, api="s3")
        assert answer.status_code in {403, 404}, (path, answer.status_code)
        assert b"canary-object" not in answer.content
    for query in ("?versionId=1", "?acl", "?list-type=2&prefix=tasks", "?response-content-type=text/html"):
        answer = mine.send("GET", f"/{BUCKET}/{PREFIX}/{own}/results.json{query}", api="s3")
        assert answer.status_code in {400, 403, 404, 422}, query
    for method in ("PUT", "DELETE", "POST"):
        assert mine.send(method, f"/{BUCKET}/{PREFIX}/{own}/results.json", b"x", api="s3").status_code in {
            403,
            404,
        }


def test_another_kernels_task_does_not_exist(gate) -> None:
    mine, theirs = Client(gate, "k1"), Client(gate, "k2")
    arn = theirs.submit().json()["quantumTaskArn"].replace(":", "%3A").replace("/", "%2F")
    assert mine.send("GET", f"/quantum-task/{arn}").status_code == 404
    assert mine.send("PUT", f"/quantum-task/{arn}/cancel", b'{"clientToken": "x"}').status_code == 404
    assert theirs.send("GET", f"/quantum-task/{arn}").status_code == 200


def test_a_hybrid_job_a_loop_or_another_language_is_refused(gate, braket_server) -> None:
    client = Client(gate)
    assert client.submit(jobToken="x" * 16).status_code == 400
    for source in (
        "OPENQASM 3.0; qubit q; for int i in [0:1000000000] { h q; }",
        "OPENQASM 3.0; qubit q; while (true) { h q; }",
        "OPENQASM 3.0; qubit[99999999999] q; h q;",
        "h q[0]",
    ):
        assert client.submit(source=source).status_code == 400, source
    assert not braket_server.seen


def test_the_accounts_secret_is_nowhere_a_client_sees(gate, braket_server) -> None:
    client = Client(gate)
    answers = [client.submit(), client.send("POST", "/devices", b'{"filters": []}')]
    answers.append(client.send("GET", f"/{BUCKET}/x", api="s3"))
    for answer in answers:
        assert SECRET_KEY not in answer.text + json.dumps(dict(answer.headers))
        assert ACCESS_KEY not in answer.text
    for path in gate.home.rglob("*"):
        if path.is_file():
            assert SECRET_KEY.encode() not in path.read_bytes(), path


# -- quotas ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quota", "passes"),
    [
        ("user = { jobs = 3 }", 3),
        ("user = { shots = 45 }", 4),
        ("project = { shots = 20 }", 2),
        ("target = { cost = 0.7 }", 2),
    ],
)
def test_tasks_that_race_for_one_quota_never_get_more(tmp_path, braket_server, quota, passes) -> None:
    price = 'price = { currency = "USD", per_job = 0.3, per_shot = 0.001 }'
    limits = f"[projects.lab]\nmembers = ['ada']\n[targets.amazon.envelope.quota]\n{quota}\n"
    catalogue = entry(braket_server.address, more=price) + limits
    with ExitStack() as held:
        gates = [
            held.enter_context(Gated(tmp_path / "home", catalogue, keys, server_id=f"server-{number}"))
            for number, keys in ((1, {"amazon": KEY}), (2, {}))  # two Jupyter Servers of one person
        ]
        clients = [Client(gate, kernel, project="lab") for gate in gates for kernel in ("k1", "k2")]
        start = threading.Barrier(2 * len(clients))

        def submit(client) -> tuple[int, bool]:
            start.wait()
            answer = client.submit()
            return answer.status_code, "quota.exceeded" in answer.text

        with ThreadPoolExecutor(2 * len(clients)) as pool:
            answers = list(pool.map(submit, 2 * clients))
    assert sorted(answers) == [(201, False)] * passes + [(403, True)] * (2 * len(clients) - passes)
    assert len(braket_server.seen) == passes


# -- reservations ----------------------------------------------------------------------------------

OTHER_DEVICE = "arn:aws:braket:::device/quantum-simulator/amazon/dm1"
OWN, LATER = (f"arn:aws:braket:{REGION}:{ACCOUNT}:reservation/{name}" for name in ("own", "later"))
FOREIGN = OWN.replace(ACCOUNT, "210987654321")
ANY_ACCOUNTS = f'[targets.amazon.envelope]\nreservations = ["arn:aws:braket:{REGION}:*:reservation/*"]\n'


@pytest.fixture
def reserved(tmp_path, braket_server):
    """Return a function that starts a gateway whose device is reserved for so long."""
    begun = []

    def start(*windows: tuple[str, str, datetime, datetime]) -> Gated:
        home = tmp_path / "home"
        catalogue = entry(braket_server.address, more="reservations = true") + "".join(
            f"[[targets.amazon.gateway.reservations]]\nname = {name!r}\nbackend = {backend!r}\n"
            f"start = {start.isoformat()}\nend = {end.isoformat()}\n"
            for name, backend, start, end in windows
        )
        begun.append(Gated(home, catalogue + ANY_ACCOUNTS, {"amazon": KEYS["amazon"]}))
        return begun[-1]

    yield start
    for one in begun:
        one.close()


def active(gate) -> dict:
    """Ask for a grant, and wait until it begins."""
    grant = gate.grant(target="amazon")
    until = time.monotonic() + 20
    while grant["state"] != "active" and time.monotonic() < until:
        time.sleep(0.1)
        grant = gate.child.ask("GET", f"/v1/grants/{grant['id']}")[1]
    assert grant["state"] == "active"
    return grant


def named(arn) -> dict:
    return {"associations": [{"arn": arn, "type": "RESERVATION_TIME_WINDOW_ARN"}]}


def test_a_task_runs_in_its_own_reservation_and_nowhere_else(reserved, braket_server) -> None:
    now = datetime.now(timezone.utc)
    gate = reserved(
        (OWN, DEVICE, now - timedelta(hours=1), now + timedelta(hours=1)),
        (LATER, OTHER_DEVICE, now + timedelta(hours=2), now + timedelta(hours=3)),
    )
    active(gate)
    client = Client(gate)
    attempts = [
        ("envelope.other_reservation", {}),  # it would go to the public queue
        ("envelope.other_reservation", named(FOREIGN)),
        ("envelope.other_reservation", named(LATER)),
        ("envelope.other_reservation", named(f"{OWN[:-3]}OWN")),
        ("envelope.reservation_named", named(OWN + "/x")),
        ("envelope.reservation_named", named(OWN.replace("own", "\u043ewn"))),
        ("envelope.reservation", {"deviceArn": OTHER_DEVICE, **named(LATER)}),
        ("envelope.reservation", {"deviceArn": OTHER_DEVICE, **named(OWN)}),
        ("envelope.reservation", {"deviceArn": OTHER_DEVICE}),
        (
            "payload.unsupported",
            {"associations": [*named(OWN)["associations"], *named(FOREIGN)["associations"]]},
        ),
        ("payload.unsupported", {"associations": [{"arn": OWN, "type": "OTHER"}]}),
    ]
    for rule, attempt in attempts:
        answer = client.submit(**attempt)
        assert answer.status_code in {400, 403}, (attempt, answer.text)
        assert f"({rule})" in answer.text, (attempt, answer.text)
    assert not braket_server.seen
    assert client.submit(**named(OWN)).status_code == 201


def test_outside_of_the_reservation_there_is_no_credential_and_no_task(reserved, braket_server) -> None:
    ends = datetime.now(timezone.utc) + timedelta(seconds=30)
    gate = reserved(
        (OWN, DEVICE, ends - timedelta(hours=1), ends),
        (LATER, DEVICE, ends + timedelta(hours=1), ends + timedelta(hours=2)),
    )
    grant = active(gate)
    assert abs(moment(grant["expires_at"]) - ends) < timedelta(seconds=1)
    client = Client(gate)
    assert client.submit(**named(OWN)).status_code == 201
    time.sleep(max(0.0, (ends - datetime.now(timezone.utc)).total_seconds()))
    assert client.submit(**named(OWN)).status_code in {401, 403}
    assert len(braket_server.seen) == 1
    assert gate.grant(target="amazon")["state"] == "approved"
    body = {"target": "amazon"}
    status, problem = gate.child.ask("POST", "/v1/credentials", body, kernel="k1")
    assert (status, problem["code"]) == (403, "grant.not_begun")
