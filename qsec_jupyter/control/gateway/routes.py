"""What exists behind the gateway: a table of api, method and path pattern, and nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.errors import Invalid, NotFound
from ...core.model import Scope
from .model import Operation

if TYPE_CHECKING:
    from .answers import Answer
    from .call import Call

_PLACE = re.compile(r"\{(\w+)\}")
_NAME = "[A-Za-z0-9][A-Za-z0-9._~-]{0,127}"
"""What stands in a place of a pattern: one segment that is no step upwards and holds nothing encoded."""

_REACHED: dict[Scope, frozenset[Scope]] = {
    "metadata": frozenset({"metadata"}),
    "retrieve": frozenset({"metadata", "retrieve"}),
    "submit": frozenset({"metadata", "retrieve", "submit"}),
}

Handler = Callable[["Call"], Awaitable["Answer"]]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that a client may call.

    Attributes:
        api: Which of the provider's apis.
        method: HTTP method.
        pattern: Path below the api's address; ``{job}`` stands for one segment.
        operation: What it does.
        scope: The least scope that a token needs for it.
        query: The parameters that it takes; a request with another one is refused.
        answer: Answers it; the operation's usual way when not given.
    """

    api: str
    method: str
    pattern: str
    operation: Operation
    scope: Scope
    query: frozenset[str] = frozenset()
    answer: Handler | None = None

    def reached_by(self, scope: Scope) -> bool:
        """Say whether a token of that scope may call it."""
        return self.scope in _REACHED[scope]


class Table:
    """Finds routes.

    Args:
        routes: All of them, in any order.
        places: What stands in a named place, where that is more than a plain name.
    """

    def __init__(self, routes: Iterable[Route], places: Mapping[str, str] | None = None) -> None:
        self.routes = tuple(routes)
        self._found: dict[tuple[str, str], list[tuple[re.Pattern[str], Route]]] = {}
        for route in self.routes:
            pattern = re.compile(_expression(route.pattern, places or {}))
            self._found.setdefault((route.api, route.method), []).append((pattern, route))

    def match(self, api: str, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route of a request and what stands in its places.

        Raises:
            NotFound: ``gateway.no_route``.
        """
        for pattern, route in self._found.get((api, method), ()):
            if found := pattern.fullmatch(path):
                return route, found.groupdict()
        raise NotFound(
            "gateway.no_route",
            "The gateway does not offer that",
            "It passes on what the provider's client needs, and nothing else.",
            "Have the call added to the provider's module, if it is needed.",
        )


def check_query(route: Route, query: Iterable[tuple[str, str]]) -> None:
    """Refuse a parameter that the route does not take.

    Raises:
        Invalid: ``gateway.parameter``.
    """
    if unknown := {name for name, _ in query} - route.query:
        shown = min(unknown)[:40]
        raise Invalid(
            "gateway.parameter",
            "The gateway does not pass that parameter on",
            f"The parameter: {shown if shown.isidentifier() else 'one with a strange name'}.",
            "Leave it out.",
        )


def _expression(pattern: str, places: Mapping[str, str]) -> str:
    """Return the regular expression of a pattern; its literal parts stand for themselves."""
    parts = _PLACE.split(pattern)  # literal, name, literal, name, …
    literal = [re.escape(part) for part in parts[::2]]
    named = [f"(?P<{name}>{places.get(name, _NAME)})" for name in parts[1::2]]
    return "".join(text for pair in zip(literal, [*named, ""], strict=True) for text in pair)
