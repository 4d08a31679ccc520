"""IBM's own client, unmodified, at the gateway: it holds a gateway token, and no key.

The client takes a function for the address of its main service, and looks for the other three in the
environment while it is built. So they stand there for that moment only: a service of the user's own, built
before or after, goes where it always went.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..core.errors import Invalid, Unavailable
from .credential import Credential

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

_SETTLED = frozenset({"channel", "token", "url", "url_resolver", "instance", "filename", "name"})
"""What the gateway decides; a caller cannot."""

_building = threading.RLock()


def service(credential: Credential, options: dict[str, Any]) -> QiskitRuntimeService:
    """Return a service that speaks with the gateway.

    Args:
        credential: Of a proxied target.
        options: For the client's constructor.

    Raises:
        Invalid: ``runtime.not_proxied``, ``runtime.option``, ``runtime.proxy``.
        Unavailable: ``runtime.no_client`` when ``qiskit-ibm-runtime`` is not installed.
    """
    gateway = credential.public.get("gateway", "")
    if not gateway or credential.public.get("provider") != "ibm":
        raise Invalid(
            "runtime.not_proxied",
            "That target is not reached through the gateway",
            f"{credential.target} hands out a credential (tier {credential.tier}), or is not IBM's.",
            "Use qsec.credential(...).reveal() in the call that needs it.",
        )
    if settled := _SETTLED & set(options):
        raise Invalid(
            "runtime.option",
            "The gateway decides that",
            f"The option: {min(settled)}.",
            "Leave it out; the catalogue says which instance is used.",
        )
    _refuse_proxy(gateway)
    client = _client()
    with _pointed_at(gateway), _saying_nothing_of_saved_accounts():
        made: QiskitRuntimeService = client(
            channel="ibm_quantum_platform",
            token=credential.reveal(),
            instance=credential.public["instance"],
            url_resolver=lambda *_: f"{gateway}/runtime",
            **options,
        )
    for used in {id(one): one for one in (made._active_api_client, *made._api_clients.values())}.values():
        _stay(used)
    return made


def _stay(client: Any) -> None:
    """Have copies of a client authorise as it does: a fresh one would look in the environment again."""
    auth = client._session.auth
    auth.__deepcopy__ = lambda _memo: auth


def _client() -> type[QiskitRuntimeService]:
    try:
        from qiskit_ibm_runtime import QiskitRuntimeService
    except ImportError as error:
        raise Unavailable(
            "runtime.no_client",
            "IBM's client is not installed here",
            "qiskit_ibm_runtime cannot be imported.",
            f"Run: {sys.executable} -m pip install qiskit-ibm-runtime",
        ) from error
    kind: type[QiskitRuntimeService] = QiskitRuntimeService
    return kind


@contextmanager
def _pointed_at(gateway: str) -> Iterator[None]:
    """Have the environment name the gateway's addresses while the block lasts, and not a moment longer."""
    pointed = {
        "IAM_URL": f"{gateway}/iam",
        "GLOBAL_SEARCH_URL": f"{gateway}/search",
        "GLOBAL_CATALOG_URL": f"{gateway}/catalog",
    }
    with _building:
        before = {name: os.environ.get(name) for name in pointed}
        os.environ.update(pointed)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _saying_nothing_of_saved_accounts() -> Iterator[None]:
    """Leave out the client's warning that a saved account is not used: here none ever is."""
    logger = logging.getLogger("qiskit_ibm_runtime.qiskit_runtime_service")

    def other(record: logging.LogRecord) -> bool:
        return "A saved account will not be used" not in str(record.msg)

    logger.addFilter(other)
    try:
        yield
    finally:
        logger.removeFilter(other)


def _refuse_proxy(gateway: str) -> None:
    """Make sure that the token does not go to a proxy on its way to this machine's own gateway."""
    host = gateway.partition("://")[2].partition(":")[0]
    if "http" in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        raise Invalid(
            "runtime.proxy",
            "The gateway would be called through a proxy",
            f"HTTP_PROXY is set, and NO_PROXY does not name {host}.",
            f"Add {host} to NO_PROXY.",
        )
