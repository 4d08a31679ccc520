"""Artefacts on their way: never in the run's way, sent once, bounded, a gap for what is dropped."""

import hashlib

import pytest
from qsec_peer import Peer, wait_until

from qsec_jupyter.core.errors import Invalid
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel import evidence, redaction
from qsec_jupyter.kernel.channel import Channel

TYPE = "application/x-qpy"


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def peer():
    with Peer() as made:
        yield made


@pytest.fixture
def gaps():
    return []


@pytest.fixture
def sender(peer, gaps):
    channel = Channel(peer.kernel_end.dup())
    yield evidence.Sender(channel, gaps.append)
    channel.close()


@pytest.mark.parametrize("data", [b"", b"QISKIT", b"QISKIT" * 100_000])
def test_artefact_arrives_as_it_was(sender, peer, gaps, data) -> None:
    sender.offer(sha(data), TYPE, data)
    assert sender.flush(10)
    assert peer.evidence == {sha(data): (TYPE, data)}
    assert gaps == []


def test_same_bytes_are_sent_once(sender, peer) -> None:
    for _ in range(50):
        sender.offer(sha(b"a"), TYPE, b"a")
    assert sender.flush(10)
    assert peer.calls.count("evidence") == 1


def test_too_large_is_a_gap(sender, gaps, monkeypatch) -> None:
    monkeypatch.setattr(evidence, "MAX_BYTES", 3)
    sender.offer(sha(b"four"), TYPE, b"four")
    assert "larger than 3 bytes" in gaps[0]


def test_silent_control_plane_fills_the_queue_and_then_there_are_gaps(
    sender, peer, gaps, monkeypatch
) -> None:
    peer.silent.add("evidence")
    monkeypatch.setattr(evidence, "MAX_WAITING", 5)
    for number in range(9):
        sender.offer(sha(bytes([number])), TYPE, bytes([number]))
    assert len(gaps) == 4
    assert "too many" in gaps[0]


def test_refusal_is_a_gap_and_the_next_one_goes_on(sender, peer, gaps) -> None:
    def refuse(args):
        raise Invalid("evidence.full", "The store of evidence is full")

    peer.overrides["evidence"] = refuse
    sender.offer(sha(b"a"), TYPE, b"a")
    assert wait_until(lambda: gaps != [])
    assert "evidence.full" in gaps[0]
    peer.come_back()
    sender.offer(sha(b"b"), TYPE, b"b")
    assert sender.flush(10)
    assert sha(b"b") in peer.evidence


def test_control_plane_that_was_down_gets_it_later(sender, peer, gaps, monkeypatch) -> None:
    monkeypatch.setattr(evidence, "_FIRST_PAUSE", 0.01)
    peer.go_down()
    sender.offer(sha(b"a"), TYPE, b"a")
    assert not sender.flush(0.1)
    peer.come_back()
    assert sender.flush(10)
    assert gaps == []


def test_artefact_with_a_known_value_never_leaves(sender, peer, gaps, monkeypatch) -> None:
    value = "sk-Q7mT2vXw9LpR4nZ8bKdY1cHf"
    known = type(redaction.known)()
    known.add("sandbox", Secret(value, "sandbox"))
    monkeypatch.setattr(redaction, "masker", type(redaction.masker)(known))
    data = b"QISKIT name=" + value.encode()
    sender.offer(sha(data), TYPE, data)
    assert sender.flush(10)
    assert peer.evidence == {}
    assert "withheld" in gaps[0]
    assert value not in gaps[0]


def test_without_a_channel_an_offer_is_nothing(monkeypatch) -> None:
    monkeypatch.setattr(evidence.channels, "mine", None)
    evidence.offer(sha(b"a"), TYPE, b"a")
    assert evidence.sender is None
