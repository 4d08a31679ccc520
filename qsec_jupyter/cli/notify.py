"""``qsec notify``: which channels tell of what, and whether a message gets through."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import NotFound, QsecError, Unavailable
from ..core.paths import home

if TYPE_CHECKING:  # the command's help must not need the control extra
    from ..control.notifications.channel import Channel


def notify(
    channel: Annotated[str | None, typer.Argument(help="One of the catalogue's; all if not given.")] = None,
    test: Annotated[bool, typer.Option("--test", help="Send a test message by each.")] = False,
) -> None:
    """List the channels of catalog.toml, and with --test send a message by each of them."""
    chosen = _chosen(channel)
    if not chosen:
        print("No channel is set up: [notifications.NAME] in catalog.toml.")
        return
    failed = [one.name for one in chosen if not _shown(one, test)]
    if failed:
        raise Unavailable(
            "notification.not_delivered",
            "A notification was not delivered",
            f"By {', '.join(failed)}; see above.",
            "Correct the channel in catalog.toml, or what it names.",
        )


def _chosen(name: str | None) -> list[Channel]:
    from ..control.catalog import load_catalog

    channels = load_catalog(home()).channels
    if name is None:
        return list(channels.values())
    if name not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise NotFound("notification.unknown", "There is no such channel", f"There is: {known}.", "Name one.")
    return [channels[name]]


def _shown(channel: Channel, test: bool) -> bool:
    about = f"{channel.name}: {channel.kind}, {', '.join(channel.events)}"
    about += f"; {', '.join(channel.targets)}" if channel.targets else "; every target"
    try:
        secret = channel.secret(home())
        if test:
            from ..control.notifications.senders import send

            now = int(time.time())
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
            told = {"kind": "test", "what": "A test of qsec notify", "time": at}
            send(channel, f"msg_{secrets.token_hex(16)}", now, told, secret)
    except QsecError as error:
        print(f"{about}: {error.title}. {error.detail}")
        return False
    print(f"{about}: {'delivered' if test else 'ready'}")
    return True
