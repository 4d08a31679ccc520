"""Where a workload's assertion comes from: a file, the environment, GitHub, or a pod's projected volume."""

from __future__ import annotations

import json
import os
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from ...core.errors import Denied, Unavailable
from ...core.secret import Secret

VARIABLE = "QSEC_ID_TOKEN"
"""Environment variable that a CI system puts an assertion in; the program that is run does not get it."""

POD_FILE = Path("/var/run/secrets/qsec/token")
"""Where a pod mounts a projected service-account token for us."""

_GITHUB_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_GITHUB_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  # the name of a variable
_LIMIT = 1 << 16

WITHHELD = frozenset(
    {
        VARIABLE,
        _GITHUB_URL,
        _GITHUB_TOKEN,
        "VAULT_TOKEN",
        "BAO_TOKEN",
        "JUPYTERHUB_API_TOKEN",
        "JUPYTER_TOKEN",
    }
)
"""What the program's environment does not hold: with it the program could be more than its grants say."""


def assertion(file: Path | None, audience: str) -> Secret:
    """Return this workload's assertion.

    Args:
        file: A file that holds it; looked for in the usual places when ``None``.
        audience: Whom it is to be meant for, where it is issued on request.

    Raises:
        Denied: ``workload.no_identity`` when there is none.
        Unavailable: ``workload.unissued`` when it cannot be read or issued.
    """
    if file is not None:
        return Secret(_read(file), "assertion")
    told = os.environ.get(VARIABLE)
    if told:
        return Secret(told.strip(), "assertion")
    if os.environ.get(_GITHUB_URL) and os.environ.get(_GITHUB_TOKEN):
        return Secret(_github(audience), "assertion")
    if POD_FILE.exists():
        return Secret(_read(POD_FILE), "assertion")
    raise Denied(
        "workload.no_identity",
        "This workload has no identity of its own",
        f"Neither --identity, {VARIABLE}, GitHub's id-token permission nor {POD_FILE} gives one.",
        "Have the CI system issue an OpenID Connect token; --as-me runs it as yourself, to try it out.",
    )


def _read(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(_LIMIT).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _unissued(f"{file} cannot be read") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to somewhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _github(audience: str) -> str:
    address = f"{os.environ[_GITHUB_URL]}&audience={urllib.parse.quote(audience, safe='')}"
    if not address.startswith("https://"):
        raise _unissued(f"{_GITHUB_URL} is no https address")
    request = urllib.request.Request(  # noqa: S310  # https, see above
        address, headers={"Authorization": f"Bearer {os.environ[_GITHUB_TOKEN]}"}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=10) as answer:
            return str(json.loads(answer.read(_LIMIT))["value"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unissued(f"GitHub issued none ({type(error).__name__})") from error


def _unissued(why: str) -> Unavailable:
    return Unavailable(
        "workload.unissued", "The workload's assertion cannot be had", f"{why}.", "Correct it, and run again."
    )
