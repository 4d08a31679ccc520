"""Claim: evidence enters by its digest, from a kernel; no request brings it out or reaches another file."""

import base64
import hashlib

import pytest
from fastapi.testclient import TestClient

from qsec_jupyter.control.app import make_app
from qsec_jupyter.control.evidence import artefacts
from qsec_jupyter.core.secret import Secret

BEARER = "b" * 43
DATA = b"QISKIT" + bytes(range(256))
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def client(plane):
    plane.callers.add(Secret(BEARER, "bearer"), plane.owner)
    app = make_app(plane)
    with TestClient(app, base_url="http://127.0.0.1:9", raise_server_exceptions=False) as client:
        client.headers.update({"Authorization": f"Bearer {BEARER}", "Qsec-Kernel": "k1"})
        yield client


def body(data=DATA, **more):
    return {"media_type": "application/x-qpy", "data": base64.b64encode(data).decode(), **more}


def files(home):
    return {path: path.read_bytes() for path in home.glob("journal-*/evidence/*.sealed")}


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fstore.key",
        "%2e%2e",
        "0" * 63,
        "0" * 65,
        SHA.upper(),
        f"{SHA}%00",
        f"{SHA}%2f..%2fx",
        "%00",
        "~",
    ],
)
def test_name_that_is_no_digest_reaches_no_file(client, qsec_home, name) -> None:
    before = set(qsec_home.rglob("*"))
    assert client.put(f"/v1/evidence/{name}", json=body()).status_code in {404, 405, 422}
    assert set(qsec_home.rglob("*")) == before


def test_bytes_under_anothers_digest_are_refused(client, qsec_home) -> None:
    other = hashlib.sha256(b"other").hexdigest()
    answer = client.put(f"/v1/evidence/{other}", json=body())
    assert answer.json()["code"] == "evidence.digest_differs"
    assert files(qsec_home) == {}


def test_what_is_there_is_not_overwritten(client, qsec_home) -> None:
    assert client.put(f"/v1/evidence/{SHA}", json=body()).json()["stored"] is True
    before = files(qsec_home)
    assert (
        client.put(f"/v1/evidence/{SHA}", json=body(media_type="application/x-other")).json()["stored"]
        is False
    )
    assert files(qsec_home) == before


def test_a_person_stores_nothing(client, qsec_home) -> None:
    client.headers.pop("Qsec-Kernel")
    assert client.put(f"/v1/evidence/{SHA}", json=body()).status_code == 403
    assert files(qsec_home) == {}


@pytest.mark.parametrize("verb", ["get", "head", "delete", "post", "patch"])
def test_no_request_brings_it_out_or_takes_it_away(client, qsec_home, verb) -> None:
    client.put(f"/v1/evidence/{SHA}", json=body())
    answer = getattr(client, verb)(f"/v1/evidence/{SHA}")
    assert answer.status_code == 405
    assert DATA not in answer.content
    assert len(files(qsec_home)) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"data": "not base64!"},
        {"encoding": "deflate", "data": base64.b64encode(b"not zlib").decode()},
        {"encoding": "gzip"},
        {"media_type": "text/html"},
        {"media_type": "application/../../x"},
        {"data": None},
    ],
)
def test_malformed_artefacts_are_refused_without_a_word_of_them(client, qsec_home, more) -> None:
    answer = client.put(f"/v1/evidence/{SHA}", json={**body(), **more})
    assert answer.status_code == 422
    assert "QISKIT" not in answer.text
    assert files(qsec_home) == {}


def test_too_much_is_refused(client, qsec_home, monkeypatch) -> None:
    monkeypatch.setattr(artefacts, "MAX_BYTES", 10)
    assert client.put(f"/v1/evidence/{SHA}", json=body()).json()["code"] == "evidence.too_large"
    assert files(qsec_home) == {}
