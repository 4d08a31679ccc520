"""Amazon's own SDK, unmodified, at the gateway: its session holds keys made of a gateway token, and no other.

Only the addresses of the services are ours: every client that the session makes, now or later, gets the
gateway's; one for a service that the gateway does not offer is refused before it could go anywhere else.
"""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING, Any

from ..core.errors import Invalid, Unavailable
from .credential import Credential

if TYPE_CHECKING:
    from braket.aws import AwsSession

_SERVICES = frozenset({"braket", "s3"})


def session(credential: Credential) -> AwsSession:
    """Return a session that speaks with the gateway.

    Args:
        credential: Of a proxied target.

    Raises:
        Invalid: ``braket.not_proxied``.
        Unavailable: ``braket.no_sdk`` when ``amazon-braket-sdk`` is not installed.
    """
    gateway = credential.public.get("gateway", "")
    if not gateway or credential.public.get("provider") != "braket":
        raise Invalid(
            "braket.not_proxied",
            "That target is not reached through the gateway",
            f"{credential.target} hands out a credential (tier {credential.tier}), or is not Amazon's.",
            "Use qsec.credential(...).reveal() in the call that needs it.",
        )
    region, bucket, _ = credential.public["instance"].split("/", 2)
    aws_session = _sdk()
    made: AwsSession = aws_session(boto_session=_boto(credential, gateway, region), default_bucket=bucket)
    return made


def _boto(credential: Credential, gateway: str, region: str) -> Any:
    """Return a boto3 session whose keys follow the credential, and whose clients know no other address."""
    import boto3
    import botocore.session
    from botocore.config import Config
    from botocore.credentials import Credentials, ReadOnlyCredentials

    class Keys(Credentials):
        """Keys that are made of the token as it is now: it is refreshed while a task waits."""

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            token = credential.reveal()
            return ReadOnlyCredentials(_access_key(token), token, token)

    class Pointed(boto3.Session):
        """A session whose clients are the gateway's."""

        def client(self, service_name: str, *args: Any, **options: Any) -> Any:
            return super().client(service_name, *args, **_pointed(service_name, options))

        def resource(self, service_name: str, *args: Any, **options: Any) -> Any:
            return super().resource(service_name, *args, **_pointed(service_name, options))

    def _pointed(service: str, options: dict[str, Any]) -> dict[str, Any]:
        if service not in _SERVICES:
            raise Invalid(
                "braket.not_offered",
                "The gateway does not offer that service",
                f"The service: {str(service)[:40]}. A task needs braket and s3 only.",
                "Use a session with keys of your own for it.",
            )
        path_style = Config(s3={"addressing_style": "path"})
        config = options.get("config")
        return {
            **options,
            "endpoint_url": f"{gateway}/{service}",
            "config": config.merge(path_style) if config is not None else path_style,
        }

    inner = botocore.session.Session()
    token = credential.reveal()
    inner._credentials = Keys(_access_key(token), token, token)
    return Pointed(botocore_session=inner, region_name=region)


def _access_key(token: str) -> str:
    """Return the access key that the gateway expects with a token."""
    return f"QSEC{hashlib.sha256(token.encode()).hexdigest()[:16].upper()}"


def _sdk() -> Any:
    try:
        from braket.aws import AwsSession
    except ImportError as error:
        raise Unavailable(
            "braket.no_sdk",
            "Amazon's SDK is not installed here",
            "braket.aws cannot be imported.",
            f"Run: {sys.executable} -m pip install amazon-braket-sdk",
        ) from error
    return AwsSession
