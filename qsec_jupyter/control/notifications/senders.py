"""How each kind of channel sends: mail, a webhook that proves where it comes from, Slack's form."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from typing import Any

from ...core.canonical import canonical_bytes
from ...core.errors import Unavailable
from ...core.secret import Secret
from .channel import Channel, Kind, check_address
from .post import SECONDS, post, undelivered
from .wording import sentence

Facts = Mapping[str, Any]


def send(channel: Channel, identifier: str, time: int, told: Facts, secret: Secret | None) -> None:
    """Send one notification.

    Args:
        channel: By which way.
        identifier: The same for every try, so that whoever gets it twice can tell.
        time: Unix seconds of this try.
        told: See :func:`.wording.facts`.
        secret: The channel's.

    Raises:
        Unavailable: ``notification.not_delivered``.
    """
    _SENDERS[channel.kind](channel, identifier, time, told, secret)


def webhook(channel: Channel, identifier: str, time: int, told: Facts, secret: Secret | None) -> None:
    """Send canonical JSON, signed as Standard Webhooks 1.0 says.

    The signature covers id, time and body: a copy that is sent again later is too old, and one with another
    time does not verify.
    """
    body = canonical_bytes({"id": identifier, **told})
    headers = {
        "Content-Type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": str(time),
        "webhook-signature": signature(_needed(secret), identifier, time, body),
    }
    post(channel.url, body, headers, channel.ca)


def signature(secret: Secret, identifier: str, time: int, body: bytes) -> str:
    """Return ``v1,`` and the base64 HMAC-SHA256 over id, time and body, with dots between."""
    signed = f"{identifier}.{time}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def slack(channel: Channel, identifier: str, time: int, told: Facts, secret: Secret | None) -> None:
    """Send ``{"text": ...}``; the address itself is the secret."""
    url = _needed(secret).reveal()
    try:
        check_address(url)
    except ValueError as error:
        raise undelivered(str(error)) from None
    text = (
        sentence(told).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    )  # no @channel, no links
    post(url, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}, channel.ca)


def email(channel: Channel, identifier: str, time: int, told: Facts, secret: Secret | None) -> None:
    """Send a plain text; a password goes over TLS only."""
    message = EmailMessage()
    message["From"], message["To"] = channel.sender, ", ".join(channel.to)
    message["Subject"] = f"qsec: {sentence(told)}"[:200]
    message["Message-ID"] = f"<{identifier}@{channel.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody answers this by machine
    lines = [sentence(told) + ".", "", *(f"{key}: {value}" for key, value in told.items())]
    message.set_content("\n".join([*lines, "", "Decide in JupyterLab's qsec panel."]))
    try:
        with _connected(channel) as server:
            if channel.user:
                server.login(channel.user, _needed(secret).reveal())
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        raise undelivered(type(error).__name__) from None  # an answer of the server may quote what it got


def _connected(channel: Channel) -> smtplib.SMTP:
    host, port = channel.host_and_port
    context = ssl.create_default_context(cafile=channel.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if channel.tls == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    server = smtplib.SMTP(host, port, timeout=SECONDS)
    if channel.tls == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _key(secret: Secret) -> bytes:
    """Return the key's bytes: base64 behind ``whsec_``, as Standard Webhooks has it, else the text itself."""
    text = secret.reveal()
    if text.startswith("whsec_"):
        return base64.b64decode(text.removeprefix("whsec_"))
    return text.encode()


def _needed(secret: Secret | None) -> Secret:
    if secret is None:
        raise Unavailable("notification.no_secret", "A notification's secret cannot be read")
    return secret


_SENDERS: dict[Kind, Callable[[Channel, str, int, Facts, Secret | None], None]] = {
    "email": email,
    "webhook": webhook,
    "slack": slack,
}
