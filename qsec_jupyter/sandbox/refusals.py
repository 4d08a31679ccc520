"""What the sandbox says no with, in the shape in which the provider that it stands in for says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """A request that is answered with an error.

    Args:
        status: HTTP status.
        code: The number that the client shows beside the message.
        message: What is wrong.
        solution: What to do about it.
        headers: Sent with it, e.g. ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        solution: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.solution = solution
        self.headers = dict(headers or {})

    def document(self, trace: str) -> dict[str, Any]:
        """Return the body of the answer.

        Args:
            trace: Names this request in the log.
        """
        error = {"code": self.code, "message": self.message, "solution": self.solution}
        return {"errors": [error], "trace": trace}


def unauthenticated(why: str = "The bearer is unknown or has expired.") -> Refusal:
    """Return the answer to a request without a good bearer."""
    return Refusal(401, 1200, f"Unauthorized. {why}", "Exchange the API key for a new bearer.")


def forbidden(why: str, solution: str = "Use an instance that this API key may use.") -> Refusal:
    """Return the answer to a request for what the caller may not have."""
    return Refusal(403, 1203, f"Forbidden. {why}", solution)


def malformed(why: str, solution: str = "See the reference of this interface.") -> Refusal:
    """Return the answer to a request that makes no sense."""
    return Refusal(400, 1209, f"Invalid request. {why}", solution)


def unknown(what: str) -> Refusal:
    """Return the answer to a request for something that is not there."""
    return Refusal(404, 1291, f"{what} not found.", "Check the identifier and the instance.")


def conflict(why: str, solution: str = "") -> Refusal:
    """Return the answer to a request that the present state does not allow."""
    return Refusal(409, 1267, why, solution)
