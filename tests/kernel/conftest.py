"""Shared by the kernel's tests: a peer that speaks the real wire protocol on a real socket pair."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qsec_peer import Peer

from qsec_jupyter.kernel.channel import Channel


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


@pytest.fixture
def channel(peer: Peer) -> Iterator[Channel]:
    made = Channel(peer.kernel_end)
    yield made
    made.close()
