"""Shared by the kernel's tests: a peer that speaks the real wire protocol on a real socket pair."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qsec_peer import Peer

from qsec_jupyter.kernel import execution, extension
from qsec_jupyter.kernel.channel import Channel


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer() as made:
        yield made


class Shell:
    execution_count = 3

    def get_parent(self) -> dict[str, Any]:
        return {"metadata": {"cellId": "cell-7"}, "content": {"code": "x = 1"}}


@pytest.fixture
def recording(channel: Channel) -> Iterator[None]:
    """Runs are recorded, as in a kernel that has begun."""
    execution.start(channel, Shell())
    extension.watch()
    yield
    execution.recorder.flush(2)
    execution.switch(on=True)
    execution.recorder = None


@pytest.fixture
def channel(peer: Peer) -> Iterator[Channel]:
    made = Channel(peer.kernel_end)
    yield made
    made.close()
