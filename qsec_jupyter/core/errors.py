"""The one error of the project, and its tree.

    QsecError            code, kind, title, detail, remedy
    ├── Invalid          the request itself is wrong; change it and try again
    ├── Denied           understood and refused by policy, a person or an expired grant
    ├── NotFound         no such target, grant, run or file
    ├── Conflict         true at another moment: wrong state, already answered
    ├── Unavailable      something we stand on (Vault, control plane, disk) does not answer
    └── Bug              our own fault; the detail says nothing that could hold a secret

Each edge maps ``kind`` once: HTTP problem+json, exit code, notebook card, panel message.
``detail`` never quotes upstream text, because upstream text may quote a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar

HTTP_STATUS: dict[str, int] = {
    "invalid": 422,
    "denied": 403,
    "not_found": 404,
    "conflict": 409,
    "unavailable": 503,
    "bug": 500,
}
"""RFC 9110 status for each kind; used by the control plane and the server alike."""

EXIT_CODE: dict[str, int] = {
    "invalid": 2,
    "denied": 3,
    "not_found": 4,
    "conflict": 5,
    "unavailable": 6,
    "bug": 70,
}
"""Process exit status of the command line for each kind (70 is sysexits' EX_SOFTWARE)."""


class QsecError(Exception):
    """A refusal or failure that tells its reader what to do next.

    Args:
        code: Stable, dotted, lower-case identifier such as ``grant.expired``.
        title: One short sentence, the same for every occurrence of ``code``.
        detail: What happened this time. Never a secret, never upstream text.
        remedy: What the reader can do about it.
    """

    kind: ClassVar[str] = "bug"

    def __init__(self, code: str, title: str, detail: str = "", remedy: str = "") -> None:
        self.code = code
        self.title = title
        self.detail = detail
        self.remedy = remedy
        super().__init__(code, title, detail, remedy)

    def __str__(self) -> str:
        parts = [f"{self.title} ({self.code})", self.detail, self.remedy and f"Remedy: {self.remedy}"]
        return "\n".join(part for part in parts if part)

    def to_problem(self) -> dict[str, Any]:
        """Return the error as an RFC 9457 problem document."""
        return {
            "type": f"urn:qsec:error:{self.code}",
            "status": HTTP_STATUS[self.kind],
            "code": self.code,
            "kind": self.kind,
            "title": self.title,
            "detail": self.detail,
            "remedy": self.remedy,
        }


class Invalid(QsecError):
    """The request itself is wrong."""

    kind = "invalid"


class Denied(QsecError):
    """Understood, and refused."""

    kind = "denied"


class NotFound(QsecError):
    """No such thing."""

    kind = "not_found"


class Conflict(QsecError):
    """Not possible in the present state."""

    kind = "conflict"


class Unavailable(QsecError):
    """Something that we stand on does not answer."""

    kind = "unavailable"


class Bug(QsecError):
    """Our own fault."""


_BY_KIND: dict[str, type[QsecError]] = {
    cls.kind: cls for cls in (Invalid, Denied, NotFound, Conflict, Unavailable, Bug)
}


def from_problem(problem: dict[str, Any]) -> QsecError:
    """Rebuild the error that crossed a wire as :meth:`QsecError.to_problem`."""
    cls = _BY_KIND.get(str(problem.get("kind")), Bug)
    return cls(
        str(problem.get("code", "bug.unknown")),
        str(problem.get("title", "Unknown error")),
        str(problem.get("detail", "")),
        str(problem.get("remedy", "")),
    )
