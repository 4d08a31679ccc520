"""Where to tell of what: the tables ``[notifications.NAME]`` of ``catalog.toml``."""

from __future__ import annotations

import ipaddress
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from ...core.errors import Unavailable
from ...core.events import EVENT_TYPES
from ...core.secret import Secret

Kind = Literal["email", "webhook", "slack"]
Said = Literal["names", "reason", "ticket"]
SAID: tuple[Said, ...] = get_args(Said)
FOLDER = "notifications"
"""Where the state folder keeps the channels' secrets, one file of mode 0600 each."""

USUAL = ("grant.requested", "grant.break_glass", "lock", "credential.revocation_pending", "policy.refused")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAIL = re.compile(r"[^@\s<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,190}")
_TLS = ("starttls", "tls", "none")
_LIST = frozenset({"events", "targets", "say", "to"})
_NEEDS: dict[Kind, tuple[str, ...]] = {
    "email": ("server", "sender", "to"),
    "webhook": ("url", "secret_file"),
    "slack": ("secret_file",),
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to tell somebody.

    Attributes:
        events: Types or families of events; empty for the usual ones.
        targets: Only what is about these; empty for everything.
        say: What beyond kind, target and state may be told: names of persons, a request's reason, its ticket.
        secret_file: In :data:`FOLDER`: the mail password, the webhook's key, or Slack's whole address.
        url: Of a webhook.
        server: Of mail, ``host:port``.
        tls: How mail is protected; ``none`` is for this machine itself only.
    """

    name: str
    kind: Kind
    events: tuple[str, ...] = USUAL
    targets: tuple[str, ...] = ()
    say: tuple[Said, ...] = ("names",)
    secret_file: str = ""
    url: str = ""
    server: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    user: str = ""
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca: str | None = None

    @classmethod
    def parse(cls, name: str, told: Mapping[str, Any]) -> Channel:
        """Read a channel from its table.

        Raises:
            ValueError: What is wrong with it.
            TypeError: Something has another type.
        """
        unknown = set(told) - {field.name for field in fields(cls)} - {"name"}
        if unknown:
            raise ValueError(f"{min(unknown)} does not exist")
        channel = cls(name=name, **{key: _typed(key, value) for key, value in told.items()})
        channel._check()
        return channel

    def _check(self) -> None:
        if self.kind not in _NEEDS:
            raise ValueError(f"its kind is none of {', '.join(_NEEDS)}")
        for key in _NEEDS[self.kind]:
            if not getattr(self, key):
                raise ValueError(f"{key} is missing")
        families = {kind.partition(".")[0] for kind in EVENT_TYPES}
        if set(self.events) - set(EVENT_TYPES) - families or set(self.say) - set(SAID):
            raise ValueError("events or say names what does not exist")
        if self.secret_file and not _FILE.fullmatch(self.secret_file):
            raise ValueError(f"secret_file is the name of a file in {FOLDER}/")
        if self.url:
            check_address(self.url)
        if self.kind == "email":
            self._check_mail()

    def _check_mail(self) -> None:
        if not all(_MAIL.fullmatch(address) for address in (self.sender, *self.to)):
            raise ValueError("sender or to is no address")
        if self.tls not in _TLS or (self.tls == "none" and not is_loopback(self.host_and_port[0])):
            raise ValueError("tls is starttls or tls; none is for this machine itself")
        if self.user and not self.secret_file:
            raise ValueError("user needs a secret_file")

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The mail server."""
        host, _, port = self.server.rpartition(":")
        return host.strip("[]"), int(port)

    def wants(self, kind: str, target: str | None) -> bool:
        """Say whether an event of that type, about that target, is to be told."""
        family = kind.partition(".")[0]
        named = kind in self.events or family in self.events
        return named and (not self.targets or target in self.targets)

    def secret(self, home: Path) -> Secret | None:
        """Read the channel's secret; ``None`` when it needs none.

        Raises:
            Unavailable: ``notification.no_secret``, also for a file that others can read.
        """
        if not self.secret_file:
            return None
        path = home / FOLDER / self.secret_file
        try:
            with path.open("rb") as file:
                private = not stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
                text = file.read(8192).decode().strip() if private else ""
        except (OSError, UnicodeDecodeError):
            text = ""
        if not text:
            raise Unavailable(
                "notification.no_secret",
                "A notification's secret cannot be read",
                f"{FOLDER}/{self.secret_file} of the state folder is missing, empty, or open to others.",
                "Write it there, with mode 0600.",
            )
        return Secret(text, f"notification {self.name}")


def check_address(url: str) -> None:
    """Refuse an address that is neither https nor this machine itself, or holds a password.

    Raises:
        ValueError: What is wrong with it; it never quotes the address.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in {"https", "http"} or not host or "@" in parts.netloc or parts.fragment:
        raise ValueError("url is https://host/path")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("plain http is for this machine itself only")
    _ = parts.port  # a port that is none is refused here


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself, by its literal name or address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _typed(key: str, value: Any) -> Any:
    if key in _LIST:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise TypeError(f"{key} is a list of texts")
        return tuple(value)
    if not isinstance(value, str):
        raise TypeError(f"{key} is a text")
    return value
