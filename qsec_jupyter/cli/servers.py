"""The Jupyter Servers of this user that run now, asked over their own REST interface."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import QsecError, Unavailable, from_problem

_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server, as its file in Jupyter's runtime folder describes it."""

    url: str
    root: Path
    token: str

    def __repr__(self) -> str:
        return f"Server({self.url})"

    def path_of(self, file: Path) -> str | None:
        """Return how the server names a file; ``None`` when it lies outside of its root."""
        try:
            return file.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return None

    def ask(self, route: str, body: dict[str, Any] | None = None) -> Any:
        """Return the answer of ``qsec/<route>``; a body makes it a POST.

        Raises:
            QsecError: What the server refused.
            Unavailable: ``server.unreachable`` when it does not answer, or has no qsec.
        """
        return ask(f"{self.url.rstrip('/')}/qsec/{route}", f"token {self.token}", body)


def ask(url: str, authorization: str, body: dict[str, Any] | None = None) -> Any:
    """Return the answer of a Jupyter Server or of its control plane; a body makes it a POST.

    Raises:
        QsecError: What it refused.
        Unavailable: ``server.unreachable`` when it does not answer, or has no qsec.
    """
    request = urllib.request.Request(  # noqa: S310  # Jupyter's own address, see running(), or what it said
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": authorization, "Content-Type": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=_SECONDS) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise _refusal(error) from error
    except (OSError, ValueError) as error:
        raise _unreachable() from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to somewhere else."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def running() -> Iterator[Server]:
    """Yield every server of this user that is alive."""
    from jupyter_core.paths import jupyter_runtime_dir

    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            info = json.loads(file.read_text("utf-8"))
            os.kill(int(info["pid"]), 0)
            url = str(info["url"])
            if url.startswith(("http://", "https://")):
                yield Server(url, Path(info["root_dir"]), str(info.get("token") or ""))
        except (OSError, ValueError, KeyError, TypeError):
            continue


def serving(file: Path) -> tuple[Server, str] | None:
    """Return the server with qsec that serves ``file``, and how it names the file."""
    for server in running():
        path = server.path_of(file)
        if path is None:
            continue
        try:
            server.ask("version")
        except QsecError:
            continue
        return server, path
    return None


def with_qsec(url: str | None = None) -> Server:
    """Return a running server that has qsec: the one at ``url``, else the first.

    Raises:
        Unavailable: ``server.none``.
    """
    for server in running():
        if url is not None and server.url.rstrip("/") != url.rstrip("/"):
            continue
        try:
            server.ask("version")
        except QsecError:
            continue
        return server
    raise Unavailable(
        "server.none",
        "No Jupyter Server with qsec runs",
        "This asks its control plane, which runs as long as it does.",
        "Start JupyterLab; in CI, `qsec run` needs no server.",
    )


def _refusal(error: urllib.error.HTTPError) -> QsecError:
    try:
        problem = json.loads(error.read())
    except (OSError, ValueError):
        problem = None
    return from_problem(problem) if isinstance(problem, dict) and "code" in problem else _unreachable()


def _unreachable() -> Unavailable:
    return Unavailable(
        "server.unreachable",
        "The Jupyter Server does not answer",
        "It has ended, or runs without qsec.",
        "Start it again; `qsec doctor` says whether the extension is on.",
    )
