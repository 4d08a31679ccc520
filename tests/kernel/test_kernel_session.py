import copy
import pickle
import threading
import time
import traceback

import pytest
from qsec_peer import VALUE, Peer, wait_until

import qsec_jupyter
from qsec_jupyter.core.errors import Conflict, Denied, Invalid, NotFound, QsecError, Unavailable
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel import api, session
from qsec_jupyter.kernel.channel import Channel


@pytest.fixture
def registered():
    return []


@pytest.fixture(autouse=True)
def started(channel, registered):
    session.start(session.Session(channel, lambda label, value: registered.append((label, value.reveal()))))
    yield
    session.start(None)


def test_a_request_for_an_auto_approved_target_returns_an_active_grant(peer):
    grant = api.request("sandbox", reason="first run", ticket="QC-1", duration="30m")
    assert (grant.state, grant.ticket, grant.policies) == ("active", "QC-1", ("sandbox-auto",))


def test_an_empty_reason_is_refused_before_anything_is_sent(peer):
    with pytest.raises(Invalid) as caught:
        api.request("sandbox", reason="  ")
    assert caught.value.code == "request.reason_empty"
    assert peer.calls == []


def test_a_refusal_of_the_control_plane_arrives_with_its_code_and_remedy():
    with pytest.raises(Invalid) as caught:
        api.request("sandbox", reason="x", duration="99d")
    assert (caught.value.code, caught.value.remedy) == ("duration.over_cap", "Ask for less.")


def test_a_waiting_request_returns_as_soon_as_a_person_approves(peer):
    threading.Timer(0.2, lambda: peer.decide("active", "fine")).start()
    began = time.monotonic()
    assert api.request("pilot", reason="r").state == "active"
    assert time.monotonic() - began < 2


def test_a_waiting_request_raises_the_approvers_comment_when_denied(peer):
    threading.Timer(0.1, lambda: peer.decide("denied", "not this week")).start()
    with pytest.raises(Denied) as caught:
        api.request("pilot", reason="r")
    assert caught.value.code == "grant.denied"
    assert "not this week" in caught.value.detail
    assert "grace" in caught.value.detail


def test_without_wait_a_pending_request_is_returned_as_it_is():
    assert api.request("pilot", reason="r", wait=False).state == "requested"


def test_a_time_limit_ends_the_waiting_and_leaves_the_request_open(peer):
    with pytest.raises(Unavailable) as caught:
        api.request("pilot", reason="r", timeout=0.3)
    assert caught.value.code == "grant.undecided"
    assert next(iter(peer.grants.values()))["state"] == "requested"


def test_a_waiting_request_survives_a_control_plane_that_restarts(peer):
    threading.Timer(0.1, peer.go_down).start()
    threading.Timer(0.6, peer.come_back).start()
    threading.Timer(0.8, lambda: peer.decide("active")).start()
    assert api.request("pilot", reason="r").state == "active"


def test_a_waiting_request_ends_when_the_server_is_gone(peer):
    threading.Timer(0.2, peer.close).start()
    with pytest.raises(Unavailable) as caught:
        api.request("pilot", reason="r")
    assert caught.value.code == "channel.closed"


def test_a_credential_is_masked_in_every_form_but_reveal(peer):
    api.request("sandbox", reason="r")
    credential = api.credential("sandbox")
    forms = [
        repr(credential),
        str(credential),
        f"{credential}",
        f"{credential:>40}",
        credential._repr_html_(),
    ]
    forms += [
        repr(pickle.loads(pickle.dumps(credential))),
        repr(copy.deepcopy(credential)),
        repr([credential]),
        repr(vars(credential)),
    ]
    assert all(VALUE not in form and "[redacted: sandbox]" in form for form in forms)
    assert credential.reveal() == VALUE
    assert VALUE.encode() not in pickle.dumps(credential)


def test_a_pickled_credential_holds_no_value():
    api.request("sandbox", reason="r")
    with pytest.raises(ValueError, match="holds no value"):
        pickle.loads(pickle.dumps(api.credential("sandbox"))).reveal()


def test_an_exception_that_mentions_a_credential_object_shows_no_value():
    api.request("sandbox", reason="r")
    credential = api.credential("sandbox")
    error = RuntimeError(credential)
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    assert VALUE not in text


def test_a_value_is_known_to_redaction_before_anyone_can_reveal_it(registered):
    api.request("sandbox", reason="r")
    assert registered == []
    api.credential("sandbox")
    assert registered == [("sandbox", VALUE)]


def test_a_second_call_is_answered_from_memory(peer):
    api.request("sandbox", reason="r")
    assert api.credential("sandbox") is api.credential("sandbox")
    assert peer.calls.count("credential") == 1


def test_many_threads_fetch_a_credential_once(peer):
    api.request("sandbox", reason="r")
    threads = [threading.Thread(target=api.credential, args=("sandbox",)) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert peer.calls.count("credential") == 1


def test_after_a_revocation_the_old_object_and_the_next_call_raise_it(peer):
    api.request("sandbox", reason="r")
    credential = api.credential("sandbox")
    peer.decide("revoked", "laptop lost")
    assert wait_until(lambda: credential.end is not None)
    for act in (credential.reveal, lambda: api.credential("sandbox")):
        with pytest.raises(Denied) as caught:
            act()
        assert caught.value.code == "grant.revoked"
        assert "laptop lost" in caught.value.detail
        assert "qsec.request" in caught.value.remedy


def test_after_expiry_by_the_clock_the_old_object_raises_without_any_message(peer):
    peer.lasting = 0.2
    api.request("sandbox", reason="r")
    credential = api.credential("sandbox")
    assert 0 < credential.expires_in <= 0.2
    time.sleep(0.25)
    peer.grants["g-1"]["state"] = "expired"
    for act in (credential.reveal, lambda: api.credential("sandbox")):
        with pytest.raises(Denied) as caught:
            act()
        assert caught.value.code == "grant.expired"
    assert credential.expires_in == 0


def test_a_new_grant_after_a_revocation_gives_a_new_credential(peer):
    api.request("sandbox", reason="r")
    old = api.credential("sandbox")
    api.revoke("sandbox", "done")
    api.request("sandbox", reason="again")
    assert api.credential("sandbox").reveal() == VALUE
    with pytest.raises(Denied):
        old.reveal()


def test_a_held_credential_keeps_working_when_the_server_is_gone(peer):
    api.request("sandbox", reason="r")
    api.credential("sandbox")
    peer.close()
    assert api.credential("sandbox").reveal() == VALUE
    with pytest.raises(Unavailable):
        api.grants()


def test_without_a_grant_a_credential_is_refused_in_the_control_planes_words():
    with pytest.raises(Denied) as caught:
        api.credential("sandbox")
    assert caught.value.code == "grant.none"


def test_revoke_by_target_or_id_ends_active_grants_and_withdraws_open_requests(peer):
    api.request("sandbox", reason="r")
    pending = api.request("pilot", reason="r", wait=False)
    assert api.revoke("sandbox").state == "revoked"
    assert api.revoke(pending.id).state == "cancelled"
    with pytest.raises(NotFound):
        api.revoke("sandbox")


def test_lists_are_tables_that_escape_what_came_over_the_wire():
    api.request("sandbox", reason="<script>alert(1)</script>")
    html = api.grants()._repr_html_() + api.targets()._repr_html_()
    assert "<script>" not in html
    assert "Pilot &lt;b&gt;QPU" in html
    assert "var(--jp-" in html


def test_status_names_what_is_off_when_nobody_answers(peer):
    peer.go_down()
    status = api.status()
    assert not status.ok
    assert "control plane does not answer" in repr(status)
    assert "not loaded" in status._repr_html_()


def test_without_a_channel_every_call_says_so_with_a_remedy():
    session.start(None)
    for act in (
        lambda: api.request("a", reason="b"),
        lambda: api.credential("a"),
        api.grants,
        api.targets,
    ):
        with pytest.raises(Unavailable) as caught:
            act()
        assert caught.value.code == "channel.absent"
        assert caught.value.remedy
    assert "channel" in repr(api.status())


def test_a_call_that_gets_no_answer_ends_at_its_time_limit(peer, channel):
    peer.silent.add("targets")
    with pytest.raises(Unavailable) as caught:
        channel.call("targets", within=0.1)
    assert caught.value.code == "channel.timeout"


def test_waiting_calls_end_when_the_other_side_goes(peer, channel):
    peer.silent.add("targets")
    threading.Timer(0.1, peer.close).start()
    with pytest.raises(Unavailable) as caught:
        channel.call("targets", within=5)
    assert caught.value.code == "channel.closed"
    assert channel.closed


def test_calls_from_many_threads_each_get_their_own_answer(peer, channel):
    peer.overrides["targets"] = lambda args: {"echo": args["n"]}
    wrong = []

    def ask(n):
        if channel.call("targets", n=n)["echo"] != n:
            wrong.append(n)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(30)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert wrong == []


def test_a_babbling_server_ends_the_channel_instead_of_hanging_it(peer, channel):
    peer._socket.sendall(b"\xff\xff\xff\xff garbage")
    assert wait_until(lambda: channel.closed)


def test_the_descriptor_is_taken_from_the_environment_once(monkeypatch):
    import os

    with Peer() as other:
        monkeypatch.setenv("QSEC_CHANNEL_FD", str(os.dup(other.kernel_end.fileno())))
        made = Channel.from_environment()
        assert made is not None
        assert "QSEC_CHANNEL_FD" not in os.environ
        assert Channel.from_environment() is None
        made.close()


@pytest.mark.parametrize("number", ["", "no number", "-1", "987654"])
def test_a_useless_descriptor_number_means_no_channel(monkeypatch, number):
    monkeypatch.setenv("QSEC_CHANNEL_FD", number)
    assert Channel.from_environment() is None


def test_errors_are_the_projects_own():
    assert issubclass(Conflict, QsecError)
    assert repr(Secret("x", "y")) == "[redacted: y]"


def test_the_package_offers_the_public_api():
    assert qsec_jupyter.__all__ == api.__all__
    assert all(callable(getattr(qsec_jupyter, name)) for name in api.__all__)
