"""What all handlers share: the parts they call, what they pass on, and how they answer.

Every concrete verb names its own resource: ``@authorized`` remembers the resource of the first class
that uses it, so a decorated method on a shared base class would check the wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from jupyter_server.base.handlers import APIHandler
from tornado import web

from ...core.errors import HTTP_STATUS, Bug, Invalid, QsecError
from ..control_plane import ControlPlane
from ..save import SaveGuard
from ..words import masked

_Verb = Callable[..., Awaitable[Any]]


def answers(verb: _Verb) -> _Verb:
    """Send what ``verb`` returns as JSON, and a :class:`QsecError` as a problem document."""

    @wraps(verb)
    async def handle(self: QsecHandler, *args: str) -> None:
        try:
            self.finish(json.dumps(await verb(self, *args)))
        except QsecError as error:
            self.send_problem(error)
        except web.HTTPError:
            raise
        except Exception as error:  # noqa: BLE001  # the browser gets a problem, never a traceback
            self.log.error("qsec: %s failed with %s", self.request.path, type(error).__name__)
            self.send_problem(Bug("server.bug", "qsec-jupyter failed", "An unexpected error."))

    return handle


class QsecHandler(APIHandler):
    """One route: the parts it calls, what it passes on to the control plane, and how it answers."""

    def initialize(self, control: ControlPlane, guard: SaveGuard) -> None:
        """Take the parts from the route table."""
        self.control = control
        self.guard = guard

    def send_problem(self, error: QsecError) -> None:
        """Answer with a problem document (RFC 9457)."""
        self.set_status(HTTP_STATUS[error.kind])
        self.finish(json.dumps(error.to_problem()))

    def body(self) -> dict[str, Any]:
        """Return the request's JSON object; what a person typed quotes no issued value any more."""
        try:
            value = json.loads(self.request.body or b"{}")
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise Invalid("request.not_json", "The request is not a JSON object")
        return masked(value, self.settings["qsec_masked"])

    async def ask(self, path: str, *names: str) -> Any:
        """Ask the control plane by what the query says under ``names``, which it checks."""
        asked = [(name, self.get_query_argument(name, None)) for name in names]
        query = urlencode([(name, value) for name, value in asked if value])
        return await self.control.call("GET", f"{path}?{query}")

    async def relay(self, path: str, *names: str) -> Any:
        """Pass on what the body says under ``names``."""
        body = self.body()
        return await self.control.call("POST", path, {name: body[name] for name in names if name in body})
