"""Claim: no token follows a redirect, whoever sends it and wherever it points."""

import pytest
from vault_fault_proxy import fault_proxy, status
from vault_server import request

from qsec_jupyter.core.errors import Unavailable

pytestmark = pytest.mark.vault


def _use(broker):
    broker.issue(request(), lambda ref: None)
    broker.signer().sign(b"x")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("where", ["/login", "/data/", "/sign/"])
def test_redirect_is_an_error_and_nothing_reaches_its_target(vault, broker_at, code, where):
    with fault_proxy(vault.address) as proxy, fault_proxy(vault.address) as thief:
        broker = broker_at(vault, proxy.address)
        proxy.faults[where] = status(code, b"", Location=f"{thief.address}/v1/steal")
        with pytest.raises(Unavailable) as caught:
            _use(broker)
        assert caught.value.code == "vault.standby"
        assert thief.seen == []
        assert thief.address not in str(caught.value)
        broker.close()
