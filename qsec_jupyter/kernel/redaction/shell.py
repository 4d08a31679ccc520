"""Guards in IPython's shell: history, ``%store``, tracebacks that show variables."""

from __future__ import annotations

import ast
import pickle
import reprlib
from collections.abc import Callable, Iterator
from typing import Any

from ...core.errors import Denied
from ...core.secret import Secret
from ..credential import Credential
from . import hooks
from .state import masker

HISTORY, STORE, TRACEBACKS = "Redaction of history", "Redaction of %store", "Redaction of tracebacks"


def install(ip: Any) -> None:
    """Guard a running shell."""
    if ip.history_manager is not None:
        history = ip.history_manager
        hooks.wrap(HISTORY, history, "store_inputs", _inputs)
        hooks.wrap(HISTORY, ip.history_manager, "store_output", lambda store: _outputs(history, store))
    hooks.wrap(HISTORY, ip.logger, "log_write", _logged)
    line_magics = ip.magics_manager.magics["line"]
    if "store" in line_magics:
        hooks.wrap(STORE, line_magics, "store", lambda store: _store(ip, store))


def _inputs(store: Callable[..., None]) -> Callable[..., None]:
    def guarded(line_num: int, source: str, source_raw: str | None = None) -> None:
        if masker:
            raw = source if source_raw is None else source_raw
            source, source_raw = masker.redact(source), masker.redact(raw)
        store(line_num, source, source_raw)

    return guarded


def _outputs(history: Any, store: Callable[..., None]) -> Callable[..., None]:
    def guarded(line_num: int) -> None:
        shown = history.output_hist_reprs.get(line_num)
        if masker and shown is not None:
            history.output_hist_reprs[line_num] = masker.redact_tree(shown)
        store(line_num)

    return guarded


def _logged(write: Callable[..., None]) -> Callable[..., None]:
    """``%logstart`` writes a history, too."""

    def guarded(data: str, kind: str = "input") -> None:
        write(masker.redact(data) if data else data, kind)

    return guarded


def _store(ip: Any, store: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(parameter_s: str = "") -> Any:
        for name in _names(parameter_s):
            if name in ip.user_ns and holds_value(ip.user_ns[name]):
                raise Denied(
                    "store.secret",
                    "%store would write a secret to disk",
                    f"{name} is or holds a value that came from the broker.",
                    "Ask for the credential again where you need it: qsec.credential(...).",
                )
        return store(parameter_s)

    return guarded


def _names(line: str) -> Iterator[str]:
    """Return each name that a ``%store`` line mentions, also within an expression."""
    for word in line.split():
        try:
            tree = ast.parse(word.lstrip(">"), mode="eval")
        except SyntaxError:
            continue
        yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def holds_value(thing: Any) -> bool:
    """Say whether an object is a credential, or holds a known value in what would be written of it."""
    if isinstance(thing, (Credential, Secret)):
        return True
    try:
        data = pickle.dumps(thing)
    except Exception:  # noqa: BLE001  # an object of the user's: it cannot be stored either, but it can be printed
        data = repr(thing).encode("utf-8", "surrogatepass")
    wide = data.replace(b"\0", b"")  # numpy keeps text as UTF-32
    return masker.redact_buffer(data) is not data or masker.redact_buffer(wide) is not wide


def guard_tracebacks() -> None:
    """Redact before Verbose mode and ``reprlib`` shorten a repr: a part of a value is a leak, too.

    Called when the first value is known: ``pydoc`` would be a fifth of what a kernel's start may cost.
    """
    import pydoc

    if TRACEBACKS not in hooks.state():
        for shortening in (pydoc.text._repr_instance, reprlib.aRepr):
            hooks.wrap(TRACEBACKS, shortening, "repr1", _shown)


def _shown(shorten: Callable[[Any, int], str]) -> Callable[[Any, int], str]:
    def guarded(value: Any, level: int) -> str:
        return str(shorten(masker.redact(value) if masker and isinstance(value, str) else value, level))

    return guarded
