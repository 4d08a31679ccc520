"""A samplex in its place in a job, and the same with other names in it."""

from __future__ import annotations

from typing import Any

from .. import refusals, text
from ..limits import Limits
from .fields import Name, parse, rewrite
from .form import EXPRESSIONS, HEADERS, NODES

_GRAPH = {"directed", "multigraph", "attrs", "nodes", "links"}


class Samplex:
    """A samplex in its place. All of it is looked into, so that what is not renamed is no name.

    Args:
        holder: The object in which it stands.
        limits: What reading it may take.

    Attributes:
        expressions: Holds those of its parameters as QPY in ``circuit_base64``; :meth:`rename` takes over
            what was put there.
        names: What is named in it: the kind, and the name.

    Raises:
        Invalid: ``payload.malformed``, ``payload.unsupported``, ``payload.too_costly``.
    """

    def __init__(self, holder: dict[str, Any], limits: Limits) -> None:
        if set(holder) != {"ssv", "samplex_json"} or type(holder["ssv"]) is not int:
            raise refusals.unsupported("a samplex in an unknown form")
        self._holder = holder
        self._told = parse(holder["samplex_json"], limits.nesting)
        _check_graph(self._told, limits.instructions)
        self.names: dict[tuple[str, str], None] = {}
        self._walk(self._note)
        if self._told["attrs"]["ssv"] != str(holder["ssv"]):
            raise refusals.malformed("a samplex of two versions")
        self.expressions = parse(self._told["attrs"]["param_table"])
        rewrite(self.expressions, (EXPRESSIONS,), self._note)

    def rename(self, name: Name) -> None:
        """Put other names in it."""
        self._walk(name)
        self._told["attrs"]["param_table"] = text.write(self.expressions).decode()
        self._holder["samplex_json"] = text.write(self._told).decode()

    def _note(self, kind: str, name: str) -> str:
        self.names[kind, name] = None
        return name

    def _walk(self, name: Name) -> None:
        rewrite(self._told["attrs"], HEADERS, name)
        for node in self._told["nodes"]:
            form = NODES.get(node["data"].get("id"))
            if form is None:
                raise refusals.unsupported("a samplex with a node of an unknown kind")
            rewrite(node["data"], (form,), name)


def _check_graph(told: dict[str, Any], most: int) -> None:
    """Make sure that there is nothing in a graph but nodes and links between them.

    Raises:
        Invalid: ``payload.malformed``, ``payload.too_costly``.
    """
    if set(told) != _GRAPH or not isinstance(told["nodes"], list) or not isinstance(told["links"], list):
        raise refusals.malformed("a samplex that is no graph")
    if len(told["nodes"]) + len(told["links"]) > most:
        raise refusals.too_costly("a samplex with too many nodes")
    if (
        not all(type(told[name]) is bool for name in ("directed", "multigraph"))
        or not all(map(_is_node, told["nodes"]))
        or not all(map(_is_link, told["links"]))
    ):
        raise refusals.malformed("a samplex that is no graph")


def _is_node(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and set(told) == {"id", "data"}
        and type(told["id"]) is int
        and isinstance(told["data"], dict)
        and isinstance(told["data"].get("id"), str)
    )


def _is_link(told: Any) -> bool:
    return (
        isinstance(told, dict)
        and set(told) == {"id", "source", "target", "data"}
        and told["data"] is None
        and all(type(told[name]) is int for name in ("id", "source", "target"))
    )
