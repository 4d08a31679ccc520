"""How a target is reached through the gateway: ``[targets.NAME.gateway]`` of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from ...core.duration import parse_duration
from ..credentials.vault import checked_address
from .envelope import NAME
from .model import Reservation

PROXIED = (
    "The provider's key never reaches the kernel; the token that stands for it is good at the gateway only, "
    "and dead within a second of its grant."
)
"""What ending a grant of a proxied target does, for whoever reads the catalogue."""

_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_TIMES = ("connect", "answer", "submit")
_KEYS = frozenset({"provider", "instance", "hide", "addresses", "reservations", "max_body_mb", *_TIMES})
_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What the gateway needs to know of a target.

    Attributes:
        provider: The module of :mod:`.providers` that speaks its dialect.
        addresses: Each api's address without a trailing slash: https, or http on this machine. A request
            never says where it goes.
        instance: The account's instance at the provider, e.g. a CRN; sent instead of what a client says.
        hide: Whether names, labels and tags become opaque before they leave.
        max_body: The largest submission (bytes).
        connect: Seconds to connect to the provider.
        answer: Seconds without a byte of an answer.
        submit: Seconds that the answer to a submission may take; then its outcome is unknown.
        reservations: The account's, where the provider itself lists none.
    """

    provider: str
    addresses: Mapping[str, str] = field(default_factory=dict)
    instance: str = ""
    hide: bool = True
    max_body: int = 64 * _MEGABYTE
    connect: int = 5
    answer: int = 60
    submit: int = 120
    reservations: tuple[Reservation, ...] = ()

    @classmethod
    def parse(cls, entry: Mapping[str, Any], usual: Mapping[str, Mapping[str, str]]) -> GatewaySettings:
        """Read the table.

        Args:
            entry: The table.
            usual: For each provider, its apis and where they usually are.

        Raises:
            ValueError: For a key, provider or api that does not exist, or an address that is refused.
        """
        if unknown := set(entry) - _KEYS:
            raise ValueError(f"gateway.{min(unknown)} does not exist")
        provider = str(entry.get("provider", ""))
        if provider not in usual:
            raise ValueError(f"gateway.provider is none of {', '.join(sorted(usual))}")
        told = entry.get("addresses", {})
        if unknown := set(told) - set(usual[provider]):
            raise ValueError(f"gateway.addresses.{min(unknown)} does not exist")
        addresses = {api: _address(api, address) for api, address in {**usual[provider], **told}.items()}
        if entry.get("hide", True) not in (True, False):
            raise ValueError("gateway.hide is neither true nor false")
        megabytes = entry.get("max_body_mb", 64)
        if not isinstance(megabytes, int) or not 1 <= megabytes <= 512:
            raise ValueError("gateway.max_body_mb is not between 1 and 512")
        return cls(
            provider=provider,
            addresses=addresses,
            instance=_instance(entry.get("instance", "")),
            hide=bool(entry.get("hide", True)),
            max_body=megabytes * _MEGABYTE,
            reservations=tuple(map(_reservation, entry.get("reservations", ()))),
            **{key: parse_duration(entry[key]) for key in _TIMES if key in entry},
        )


def _address(api: str, told: Any) -> str:
    """Return an address with its path, checked."""
    parts = urlsplit(str(told))
    path = parts.path.rstrip("/")
    plain = parts._replace(path="", query="", fragment="").geturl()
    dotted = any(part in {".", ".."} for part in path.split("/"))
    if parts.query or parts.fragment or not _PATH.fullmatch(path) or dotted:
        raise ValueError(f"gateway.addresses.{api} is no plain address")
    return checked_address(plain) + path


def _instance(told: Any) -> str:
    if not isinstance(told, str) or len(told) > 512 or not told.isascii() or not told.isprintable():
        raise ValueError("gateway.instance is not a text that a header can hold")
    return told


def _reservation(told: Any) -> Reservation:
    if not isinstance(told, Mapping) or set(told) - {one.name for one in fields(Reservation)}:
        raise ValueError("gateway.reservations holds something else than name, backend, start and end")
    start, end = _moment(told.get("start")), _moment(told.get("end"))
    if start >= end:
        raise ValueError("a reservation ends before it starts")
    names = {name: told[name] for name in ("backend", "name") if name in told}
    if not all(isinstance(name, str) and NAME.fullmatch(name) for name in names.values()):
        raise ValueError("a reservation's name or backend is no plain name")
    return Reservation(start, end, **names)


def _moment(told: Any) -> datetime:
    if not isinstance(told, datetime) or told.tzinfo is None:
        raise ValueError("a reservation has a start and an end, each with its zone")
    return told
