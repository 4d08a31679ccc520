"""The credential that a user holds: masked everywhere, dead as soon as its grant is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ..core.errors import Denied, Invalid, Unavailable
from ..core.model import Grant
from ..core.secret import Secret, marker

_WHY = {
    "expired": ("The grant has expired", "Ask for a new one"),
    "revoked": ("The grant was revoked", "Ask for a new one, or speak to whoever revoked it"),
    "denied": ("The request was denied", "Read the comment, change the request and ask again"),
    "cancelled": ("The request was withdrawn", "Ask again when you need it"),
}


def ended(target: str, state: str, grant: Grant | None = None) -> Denied:
    """Return the error that says how a grant ended, and what to do about it."""
    title, advice = _WHY.get(state, _WHY["revoked"])
    who = grant.decided_by if grant is not None and state in {"denied", "revoked"} else None
    said = grant.decision_comment if grant is not None else None
    detail = f"Target {target}" + (f", by {who}" if who else "") + (f": {said}" if said else ".")
    return Denied(f"grant.{state}", title, detail, f'{advice}: qsec.request("{target}", reason="...").')


def epoch(moment: str | None) -> float | None:
    """Return seconds since 1970 of an RFC 3339 time, or ``None`` for none."""
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() if moment else None


class Credential:
    """A short-lived credential. Its repr, str, format, pickle and traceback show a marker.

    Attributes:
        target: The catalogue name of where it is good.
        expires_at: RFC 3339 time after which it is not, or ``None`` when its source gives none.
        grant_id: The grant that it hangs on.
        tier: ``deliver``, ``proxy`` or ``operate``.
        revocability: What revoking it early really does, in words.
        source: Where it came from, in words.
        public: Its parts that are no secret, e.g. ``username`` or ``certificate``.
        outlives: RFC 3339 time at which a copy really stops working, when that is not its grant's end.
    """

    __slots__ = (
        "__weakref__",
        "_end",
        "_expires",
        "_fields",
        "_refresh",
        "_refresh_at",
        "_secret",
        "expires_at",
        "grant_id",
        "outlives",
        "public",
        "revocability",
        "source",
        "tier",
    )

    def __init__(
        self,
        secret: Secret,
        *,
        grant_id: str = "",
        expires_at: str | None = None,
        tier: str = "deliver",
        revocability: str = "",
        source: str = "",
        fields: Mapping[str, Secret] | None = None,
        public: Mapping[str, str] | None = None,
        refresh_at: str | None = None,
        outlives: str | None = None,
        refresh: Callable[[], Credential] | None = None,
    ) -> None:
        self._secret = secret
        self._fields = dict(fields or {})
        self._refresh_at = epoch(refresh_at)
        self._refresh = refresh
        self.public = dict(public or {})
        self.outlives = outlives
        self._expires = epoch(expires_at)
        self._end: Denied | None = None
        self.expires_at = expires_at
        self.grant_id = grant_id
        self.tier = tier
        self.revocability = revocability
        self.source = source

    @property
    def target(self) -> str:
        """The catalogue name of where it is good."""
        return self._secret.label

    @property
    def expires_in(self) -> float | None:
        """Seconds until it expires, at least 0; ``None`` when its source gives no end."""
        return None if self._expires is None else max(0.0, self._expires - time.time())

    @property
    def end(self) -> Denied | None:
        """Why it is good no more, or ``None`` while it is good."""
        if self._end is None and self._expires is not None and time.time() >= self._expires:
            self._end = ended(self.target, "expired")
        return self._end

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its secret parts, when there is more than one; :meth:`reveal` takes them."""
        return tuple(self._fields)

    def reveal(self, field: str | None = None) -> str:
        """Return the secret text, for the one call that needs it; renewed before it ends.

        Args:
            field: One of :attr:`fields`; the main one when left out.

        Raises:
            Invalid: ``credential.no_such_field``.
            Denied: ``grant.expired`` or ``grant.revoked``; ask again with :func:`request`.
            ValueError: If this is a copy that came out of a pickle; it never held the value.
        """
        if self.end is not None:
            raise self.end.with_traceback(None)
        self._renew_when_due()
        if field is None:
            return self._secret.reveal()
        if field not in self._fields:
            names = ", ".join(self._fields) or "none"
            raise Invalid(
                "credential.no_such_field",
                "There is no such part",
                f"Its parts: {names}.",
                "Use .public for the rest.",
            )
        return self._fields[field].reveal()

    def _renew_when_due(self) -> None:
        """Take over a younger value, so that this object stays good while its grant is.

        While the store is away the value in hand is used on: it is renewed early enough to try again.
        """
        if self._refresh is None or self._refresh_at is None or time.time() < self._refresh_at:
            return
        try:
            fresh = self._refresh()
        except Unavailable:
            return
        self._secret, self._fields, self.public = fresh._secret, fresh._fields, fresh.public
        self._refresh_at, self.outlives = fresh._refresh_at, fresh.outlives

    def drop(self, reason: Denied) -> None:
        """Make it useless for good: its grant has ended."""
        self._end = self._end or reason

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """What ``vars()`` and inspectors show."""
        shown = ("target", "expires_at", "grant_id", "tier", "revocability", "source", "fields", "outlives")
        return {**{name: getattr(self, name) for name in shown}, "_secret": marker(self.target)}

    def __repr__(self) -> str:
        return marker(self.target)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(marker(self.target), spec)

    def __copy__(self) -> Credential:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Credential:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (_masked, (self.target, self.expires_at))

    def _repr_html_(self) -> str:
        from .cards import credential_card

        return credential_card(self)


def _masked(target: str, expires_at: str | None) -> Credential:
    return Credential(Secret(None, target), expires_at=expires_at)
