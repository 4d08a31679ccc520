"""How the control plane itself gets into a Vault, before it can do anything for anybody.

By its own key, as ``qsec setup vault`` prepares it; or as the site starts its other services:
AppRole with a secret id that comes response-wrapped, a Kubernetes service account, a JWT of the
platform, or a client certificate. Each ends with a token of the policy ``qsec-broker``, best a
periodic one. Sessions for grants always use the broker's own key, whatever its own start was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509

from ...core.errors import Denied, Invalid, QsecError, Unavailable
from ...core.secret import Secret
from . import vault_errors
from .keystore import KeyStore
from .naming import BROKER_ROLE
from .vault import Answer, VaultAdapter, path_segments
from .vault_errors import Doing

Start = Callable[[VaultAdapter], Answer]
"""Logs in once and returns the answer with ``auth``."""

SECRET_ID = "approle.secret"  # noqa: S105  # the name of a key
_DOING = Doing("log the control plane in", f"the auth method that is to give policy {BROKER_ROLE}")


def from_environ(environ: Mapping[str, str], keys: KeyStore) -> Start | None:
    """Return the start that ``QSEC_VAULT_LOGIN`` names; ``None`` for the broker's own key.

    Raises:
        Invalid: ``vault.login_unknown``, or ``vault.login_incomplete`` naming the setting that is missing.
    """
    method = environ.get("QSEC_VAULT_LOGIN") or "own-key"
    if method == "own-key":
        return None
    usual = {"approle": "approle", "kubernetes": "kubernetes", "jwt": "jwt", "cert": "cert"}
    if method not in usual:
        raise Invalid(
            "vault.login_unknown",
            "QSEC_VAULT_LOGIN names no way to log in",
            f"It is {method[:40]!r}.",
            f"Use one of own-key, {', '.join(usual)}.",
        )
    mount = "/".join(path_segments(environ.get("QSEC_VAULT_LOGIN_MOUNT") or usual[method]))
    role = environ.get("QSEC_VAULT_LOGIN_ROLE") or BROKER_ROLE
    if method == "approle":
        wrapped = environ.get("QSEC_VAULT_WRAPPED_SECRET_ID_FILE")
        return AppRole(
            mount, _needed(environ, "QSEC_VAULT_ROLE_ID"), Path(wrapped) if wrapped else None, keys
        )
    if method == "cert":
        return _Certificate(mount, role, Path(_needed(environ, "VAULT_CLIENT_CERT")))
    usual_file = "/var/run/secrets/kubernetes.io/serviceaccount/token" if method == "kubernetes" else ""
    file = Path(environ.get("QSEC_VAULT_JWT_FILE") or usual_file or _needed(environ, "QSEC_VAULT_JWT_FILE"))
    return _Login(mount, lambda: {"role": role, "jwt": _read(file)})


class _Login:
    """One call to a login path; its body is made anew each time, for tokens of a platform are rotated."""

    def __init__(self, mount: str, body: Callable[[], dict[str, str]]) -> None:
        self._mount = mount
        self._body = body

    def __call__(self, adapter: VaultAdapter) -> Answer:
        return _logged_in(adapter, self._mount, self._body())


class _Certificate(_Login):
    """A login by what the TLS connection itself proves.

    The connection is a new one: those that stand go on with the certificate that they began with, and
    one that was replaced since may have expired.
    """

    def __init__(self, mount: str, role: str, file: Path) -> None:
        super().__init__(mount, lambda: {"name": role})
        self._file = file

    def __call__(self, adapter: VaultAdapter) -> Answer:
        ended = x509.load_pem_x509_certificate(_read(self._file).encode()).not_valid_after_utc
        if ended <= datetime.now(timezone.utc):  # a Vault says 500 to it
            raise Denied(
                "vault.client_expired",
                "The client certificate for the Vault has expired",
                f"It ended at {ended:%Y-%m-%d %H:%M} UTC.",
                "Have another one issued and put it in its place; no restart is needed.",
            )
        with closing(VaultAdapter(adapter.endpoint, adapter.total)) as fresh:
            return super().__call__(fresh)


class AppRole:
    """Logs in by role id and secret id.

    The secret id comes in a wrapping token that opens once. That it was made by this very AppRole is
    checked before it is opened; that it does not open any more means that somebody else had it.

    Args:
        mount: Of the auth method.
        role_id: Names the role; no secret.
        wrapped: File with the wrapping token; deleted when it was opened.
        keys: Keeps the secret id for the next login, in the OS keyring where there is one.
    """

    def __init__(self, mount: str, role_id: str, wrapped: Path | None, keys: KeyStore) -> None:
        self._mount = mount
        self._role_id = role_id
        self._wrapped = wrapped
        self._keys = keys

    def __call__(self, adapter: VaultAdapter) -> Answer:
        """Log in; the wrapping token is opened first when there is one.

        Raises:
            Denied: ``vault.wrapped_token_used``, ``vault.wrapped_token_foreign`` or ``vault.login_refused``.
            Unavailable: ``vault.no_secret_id``, or what ails the Vault.
        """
        secret_id = self._secret_id(adapter)
        return _logged_in(adapter, self._mount, {"role_id": self._role_id, "secret_id": secret_id.reveal()})

    def _secret_id(self, adapter: VaultAdapter) -> Secret:
        if self._wrapped is not None and self._wrapped.exists():
            return self._unwrapped(adapter, self._wrapped)
        found = self._keys.read(SECRET_ID)
        if found is None:
            raise Unavailable(
                "vault.no_secret_id",
                "The AppRole's secret id is missing",
                "There is no wrapping token to open, and none was opened before.",
                "Have one made: vault write -wrap-ttl=5m -f auth/approle/role/qsec-broker/secret-id",
            )
        return Secret(found[0].decode(), "secret id")

    def _unwrapped(self, adapter: VaultAdapter, file: Path) -> Secret:
        token = Secret(_read(file), "wrapping token")
        looking = Doing("look a wrapping token up", "none")
        try:
            body = {"token": token.reveal()}
            made_at = adapter.call("POST", "sys/wrapping/lookup", doing=looking, body=body).data.get(
                "creation_path"
            )
            self._check_origin(str(made_at))
            answer = adapter.call("POST", "sys/wrapping/unwrap", doing=looking, token=token)
        except QsecError as error:
            if error.code in ("vault.refused", "vault.token_rejected", "vault.forbidden"):
                raise _used() from error
            raise
        secret_id = str(answer.data.get("secret_id") or "")
        if not secret_id:
            raise _used()
        self._keys.replace(SECRET_ID, secret_id.encode())
        file.unlink()
        return Secret(secret_id, "secret id")

    def _check_origin(self, made_at: str) -> None:
        if not (made_at.startswith(f"auth/{self._mount}/role/") and made_at.endswith("/secret-id")):
            raise Denied(
                "vault.wrapped_token_foreign",
                "The wrapping token holds something else",
                "It was not made by this AppRole; it was left closed.",
                "Find out who put it there, and have another one made.",
            )


def _logged_in(adapter: VaultAdapter, mount: str, body: Mapping[str, Any]) -> Answer:
    try:
        answer = adapter.call("POST", f"auth/{mount}/login", doing=_DOING, body=body)
    except QsecError as error:
        if error.code in ("vault.refused", "vault.forbidden", "vault.not_found", "vault.token_rejected"):
            raise Denied(
                "vault.login_refused",
                "The Vault does not let the control plane in",
                f"auth/{mount} refused what this machine sent.",
                "Check QSEC_VAULT_LOGIN and its settings, and the role in the Vault.",
            ) from error
        raise
    if not answer.auth.get("client_token"):
        raise vault_errors.bad_answer(_DOING)
    return answer


def _needed(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name)
    if not value:
        raise Invalid(
            "vault.login_incomplete",
            "A setting for the login is missing",
            f"{name} is not set.",
            "See docs/operators/vault.md.",
        )
    return value


def _read(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(
            "vault.login_file",
            "The file to log in with cannot be read",
            f"{file}: {type(error).__name__}.",
            "Check the path, its owner and its mode.",
        ) from error


def _used() -> Denied:
    return Denied(
        "vault.wrapped_token_used",
        "The wrapping token does not open",
        "It has expired, or somebody has opened it before: then the secret id is known to them.",
        "Have the AppRole's secret ids destroyed, find out who opened it, and have another one made.",
    )
