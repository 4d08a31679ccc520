"""A control plane with one target, ``lab``, and a fake account at its provider."""

import pytest
from gateway_jobs import FakeAccount, catalogue

from qsec_jupyter.control import grant_parts
from qsec_jupyter.control.gateway.jobs import rounds


@pytest.fixture
def account(monkeypatch) -> FakeAccount:
    made = FakeAccount()
    monkeypatch.setattr(grant_parts, "accounts_of", lambda policy: made.speak)
    monkeypatch.setattr(rounds, "PAUSES", (0.0,))
    return made


@pytest.fixture
def lab(tmp_path, make_plane):
    """Return a function that opens a control plane with one target, ``lab``, under an envelope."""

    def make(envelope: str = "", target: str = ""):
        (tmp_path / "catalog.toml").write_text(catalogue(envelope, target))
        return make_plane()

    return make
