"""`qsec run`: a real program, a real control plane, an identity of the workload's own."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jwt
import pytest
from certificates import Authority, as_files
from cryptography.hazmat.primitives.asymmetric import rsa

from qsec_jupyter.control.policy.bundle import SHIPPED
from qsec_jupyter.core.secret import marker
from qsec_jupyter.ledger.entries import read_events

KEY = rsa.generate_private_key(65537, 2048)

USES = """
import hashlib, os, sys
import qsec_jupyter as qsec
value = qsec.credential("sandbox").reveal()
print("the value is", value, flush=True)
print("its digest is", hashlib.sha256(value.encode()).hexdigest())
print("in parts: ", end="")
for letter in value: print(letter, end="", flush=True)
print()
here = open("/proc/self/environ").read() + " ".join(sys.argv) + repr(dict(os.environ))
print("in the environment:", value in here, "QSEC_ID_TOKEN" in here)
sys.exit(7)
"""


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [{**public, "kid": "1", "use": "sig"}]}))
    entry = f"""
[workloads.ci]
issuer = "https://ci.example"
audience = "qsec"
jwks = "{tmp_path / "jwks.json"}"
subject = "repo:lab/bench:*"
roles = ["operator"]
scopes = ["submit"]
targets = ["sandbox", "pilot"]
"""
    (home / "catalog.toml").write_text((SHIPPED / "catalog.toml").read_text() + entry)
    return home


def assertion(home: Path, **more) -> Path:
    now = int(time.time())
    claims = {
        "iss": "https://ci.example",
        "aud": "qsec",
        "sub": "repo:lab/bench:main",
        "iat": now,
        "exp": now + 300,
        "jti": str(time.monotonic_ns()),
        **more,
    }
    file = home / f"assertion-{time.monotonic_ns()}"
    file.write_text(jwt.encode(claims, KEY, "RS256", headers={"kid": "1"}))
    return file


def begin(home: Path, *arguments: str, **environ: str) -> subprocess.Popen:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("VAULT_", "BAO_"))}
    env = {**inherited, "QSEC_HOME": str(home), "PATH": str(Path(sys.executable).parent), **environ}
    command = [sys.executable, "-m", "qsec_jupyter.cli", "run", *arguments]
    return subprocess.Popen(
        command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(home: Path, *arguments: str, **environ: str):
    process = begin(home, *arguments, **environ)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def events(home: Path) -> list[dict]:
    return [event for folder in sorted(home.glob("journal-*")) for event in read_events(folder / "ledger")]


def program(code: str) -> tuple[str, ...]:
    return ("--", sys.executable, "-c", code)


def test_a_program_gets_its_credential_by_its_channel_alone_and_its_status_is_passed_on(home):
    file = assertion(home)
    status, out, err = run(home, "--target", "sandbox", "--identity", str(file), *program(USES))
    assert status == 7, err
    digest = out.partition("its digest is ")[2].split()[0]
    assert all(hashlib.sha256(word.encode()).hexdigest() != digest for word in out.split())
    assert out.count(marker("sandbox")) == 2
    assert "in the environment: False False" in out
    names = [event["type"] for event in events(home)]
    for name in (
        "grant.requested",
        "grant.activated",
        "credential.issued",
        "grant.revoked",
        "control.stopped",
    ):
        assert name in names, names
    (requested,) = [event for event in events(home) if event["type"] == "grant.requested"]
    assert requested["data"]["policies"] == ["researchers-request"]
    assert requested["data"]["policy"]


def test_an_assertion_is_good_once_and_never_reaches_the_program(home):
    token = assertion(home).read_text()
    status, out, _ = run(home, "--target", "sandbox", *program(USES), QSEC_ID_TOKEN=token)
    assert status == 7
    assert "False False" in out
    status, _, err = run(home, "--target", "sandbox", *program("raise SystemExit(0)"), QSEC_ID_TOKEN=token)
    assert status == 3
    assert "workload.replayed" in err
    assert token not in err
    assert all(token not in json.dumps(event) for event in events(home))


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "vault"}, "workload.audience"),
        ({"exp": int(time.time()) - 300}, "workload.expired"),
        ({"sub": "repo:evil/bench:main"}, "workload.subject"),
    ],
)
def test_who_is_not_let_in_starts_nothing(home, tmp_path, claims, code):
    touched = tmp_path / "touched"
    file = assertion(home, **claims)
    status, _, err = run(
        home, "--target", "sandbox", "--identity", str(file), *program(f"open({str(touched)!r}, 'w')")
    )
    assert status == 3
    assert code in err
    assert not touched.exists()


def test_a_workload_without_identity_is_told_so(home):
    status, _, err = run(home, "--target", "sandbox", *program("pass"))
    assert (status, "workload.no_identity" in err) == (3, True)


def test_a_client_certificate_is_an_identity_and_its_key_never_leaves_its_file(home, tmp_path):
    authority = Authority()
    (tmp_path / "ca.pem").write_text(authority.pem())
    entry = f"""
[workloads.bench]
kind = "certificate"
issuer = "https://bench.example"
audience = "qsec"
ca = "{tmp_path / "ca.pem"}"
subject = "spiffe://example.org/ci/*"
roles = ["operator"]
scopes = ["submit"]
targets = ["sandbox"]
"""
    with (home / "catalog.toml").open("a") as catalogue:
        catalogue.write(entry)
    certificate, key = as_files(tmp_path, authority.issue())
    mine = ("--certificate", certificate, "--key", key, "--issuer", "https://bench.example")
    status, out, err = run(home, "--target", "sandbox", *mine, *program(USES))
    assert status == 7, err
    assert "credential.issued" in [event["type"] for event in events(home)]
    body = "".join(Path(key).read_text().splitlines()[1:-1])
    assert body not in out + err + json.dumps(events(home))

    as_files(tmp_path, Authority().issue())
    status, _, err = run(home, "--target", "sandbox", *mine, *program(USES))
    assert (status, "workload.certificate" in err) == (3, True)
    Path(key).write_text("none")
    status, _, err = run(home, "--target", "sandbox", *mine, *program(USES))
    assert (status, "workload.unissued" in err) == (6, True)
    assert run(home, "--target", "sandbox", *mine[:2], *program(USES))[0] == 2


def test_a_target_that_a_person_approves_is_not_waited_for(home):
    file = assertion(home)
    arguments = ("--target", "pilot", "--ticket", "QC-1", "--identity", str(file))
    status, _, err = run(home, *arguments, *program("raise SystemExit(0)"))
    assert (status, "run.needs_approval" in err) == (3, True)
    assert "grant.cancelled" in [event["type"] for event in events(home)]


def test_as_me_is_a_person(home):
    code = "import qsec_jupyter as q; q.credential('sandbox').reveal()"
    status, _, err = run(home, "--as-me", "--target", "sandbox", *program(code))
    assert status == 0, err


def test_a_signal_goes_to_the_program_and_its_end_hands_everything_back(home):
    code = (
        "import qsec_jupyter as q, signal, time, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))\n"
        "q.credential('sandbox').reveal(); print('ready', flush=True)\n"
        "time.sleep(60)"
    )
    process = begin(home, "--target", "sandbox", "--identity", str(assertion(home)), *program(code))
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 42, err
    assert "credential.revoked" in [event["type"] for event in events(home)]


def test_a_program_that_is_killed_says_so_as_a_shell_does(home):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    status, _, _ = run(home, "--target", "sandbox", "--identity", str(assertion(home)), *program(code))
    assert status == 128 + signal.SIGKILL


def test_a_program_that_is_not_there_is_said(home):
    status, _, err = run(
        home, "--target", "sandbox", "--identity", str(assertion(home)), "--", "no-such-program"
    )
    assert (status, "run.not_found" in err) == (2, True)
