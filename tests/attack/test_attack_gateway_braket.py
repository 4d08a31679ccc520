"""Attack: what is signed with a gateway token reaches the catalogue's place, and nothing else."""

import json
import time
import uuid

import pytest
import requests

pytest.importorskip("braket.aws")

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from braket_server import ACCESS_KEY, ACCOUNT, BUCKET, DEVICE, PREFIX, REGION, SECRET_KEY
from gateway_child import Gated

from qsec_jupyter.control.gateway.providers.braket.signing import access_key_of

CATALOGUE = """
[targets.{name}]
title = "Braket"
provider = "braket"
tier = "proxy"
approval = "auto"
max_duration = "8h"
default_duration = "1h"
source = {{ engine = "kv-v2", path = "targets/{name}", field = "token" }}
backends = ["arn:aws:braket:::device/*"]
[targets.{name}.gateway]
provider = "braket"
instance = "{region}/{bucket}/{prefix}"
[targets.{name}.gateway.addresses]
braket = "{address}"
s3 = "{address}"
"""
SOURCE = "OPENQASM 3.0;\nqubit[2] q;\nh q[0];\ncnot q[0], q[1];\n"


@pytest.fixture
def gate(tmp_path, braket_server):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    about = {"region": REGION, "bucket": BUCKET, "prefix": PREFIX, "address": braket_server.address}
    catalogue = "".join(CATALOGUE.format(name=name, **about) for name in ("amazon", "other"))
    keys = dict.fromkeys(("amazon", "other"), f"{ACCESS_KEY}:{SECRET_KEY}")
    found = Gated(home, catalogue, keys)
    yield found
    found.close()


class Client:
    """Signs as boto3 does, and may then change what it has signed."""

    def __init__(self, gate, kernel="k1", target="amazon") -> None:
        self.gate, self.target = gate, target
        self.token = gate.token(kernel, target)

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


def _sign_at(signer, request, moment) -> None:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(moment))
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
