"""Claim: a gateway token that outlives its control plane is good for no more and no longer than before.

And whoever reads all that the control plane keeps on disk holds no token.
"""

import base64
import sqlite3
import time
from contextlib import closing

import pytest

pytest.importorskip("qiskit_ibm_runtime")

from gateway_child import entry

from qsec_jupyter.control.gateway.tokens import PREFIX

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def started(start_gated, sandbox):
    """Return a function that starts a control plane in front of the sandbox."""
    return lambda catalogue=None, **how: start_gated(
        catalogue or entry(sandbox), {"ibm-pilot": sandbox.key}, **how
    )


def status(gated, token, path="/jobs"):
    return gated.call("GET", path, token).status_code


def test_what_is_kept_on_disk_is_no_token(started, tmp_path) -> None:
    gated = started()
    token = gated.token()
    assert status(gated, token) == 200
    with closing(sqlite3.connect(tmp_path / "home" / "journal-0" / "qsec.db")) as stolen:
        (row,) = stolen.execute("select digest, id, grant_id from passes").fetchall()
    gated.kill()
    for path in (tmp_path / "home").rglob("*"):
        if path.is_file():
            assert token.encode() not in path.read_bytes(), path
    again = started()
    digest, name, grant = row
    forged = [digest.hex(), base64.urlsafe_b64encode(digest).decode(), name, grant]
    forged += [PREFIX + (one * 3)[:45] for one in forged]
    forged += [f"e30.e30.{one}" for one in forged]
    assert {status(again, one) for one in forged} == {401}
    assert status(again, token) == 200


@pytest.mark.parametrize("how", ["expired", "policy", "kernel", "server", "port"])
def test_what_ends_a_token_ends_it_also_while_nobody_runs(started, sandbox, how) -> None:
    gated = started()
    if how == "expired":
        gated.grant(duration="6s")
        token = gated.credential()["value"]
    else:
        token = gated.token()
    assert status(gated, token) == 200
    gated.kill()
    if how == "expired":
        time.sleep(6)
        again = started()
    elif how == "policy":
        again = started(entry(sandbox).replace("backends =", 'classes = ["public"]\nbackends ='))
    elif how == "kernel":
        again = started(kernels=("k2",))
    elif how == "server":
        again = started(server_id="server-2")
    else:  # its port was free meanwhile, and somebody else may have been sent the token
        again = started(gate=False)
    assert status(again, token) in {401, 403}


def test_revoked_right_after_it_is_dead_within_a_second_and_over_the_next_crash(started) -> None:
    gated = started()
    grant = gated.grant()
    token = gated.credential()["value"]
    gated.kill()
    again = started()
    assert status(again, token) == 200
    again.revoke(grant)
    begun = time.monotonic()
    assert status(again, token) == 403
    assert time.monotonic() - begun < 1
    again.kill()
    assert status(started(), token) in {401, 403}


def test_it_does_no_more_than_before(started) -> None:
    gated = started()
    gated.grant(scope="metadata")
    token = gated.credential()["value"]
    gated.kill()
    again = started()
    assert status(again, token, "/backends") == 200
    assert status(again, token) == 403
    (refused,) = again.events("gateway.refused")
    assert refused["data"]["rule"] == "gateway.out_of_scope"


def test_an_orderly_end_leaves_no_token(started, tmp_path) -> None:
    gated = started()
    token = gated.token()
    gated.close()
    with closing(sqlite3.connect(tmp_path / "home" / "journal-0" / "qsec.db")) as database:
        assert database.execute("select count(*) from passes").fetchone() == (0,)
    assert status(started(), token) == 401
