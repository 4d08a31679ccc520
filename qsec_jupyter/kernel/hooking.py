"""Puts a wrapper on a method of a class and of all its subclasses, those to come and mixins included."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from types import FunctionType
from typing import Any, TypeVar

MARK = "__qsec__"
"""Set on a method of ours, so that it is never wrapped twice and its removal shows."""

Wrap = Callable[[FunctionType], Callable[..., Any]]
Failed = Callable[[str], None]

_Function = TypeVar("_Function", bound=Callable[..., Any])
_UNSEEN = f"{__package__} (left out of stacks like importlib._bootstrap)"
_FOLLOWED = "__qsec_followed__"
_hooked: weakref.WeakKeyDictionary[type, set[str]] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def unseen(function: _Function) -> _Function:
    """Have warnings count past a function of ours, to the line of the user's that they are about; return it.

    A warning names its place by how many frames it is away, and most filters go by that place: without this
    a deprecation would be blamed on us and not be shown. Python leaves out frames of its import system,
    which it knows by these two words in the file's name (``warnings._is_internal_frame``).
    """
    code: Any = function.__code__
    function.__code__ = code.replace(co_filename=_UNSEEN)
    return function


def hook(root: type, name: str, wrap: Wrap, failed: Failed) -> None:
    """Wrap method ``name`` of ``root`` and of each of its subclasses, those to come included.

    Args:
        root: The class that the others derive from.
        name: The method.
        wrap: Returns the wrapper of one original; it keeps signature and docs (``functools.wraps``).
        failed: Told when a later subclass could not be hooked; the subclass itself is made.
    """
    with _lock:
        for cls in (root, *_descendants(root)):
            _hook_class(cls, root, name, wrap)
        if name not in vars(root).get(_FOLLOWED, ()):
            _follow_subclasses(root, name, wrap, failed)


def hook_method(cls: Any, name: str, wrap: Wrap) -> None:
    """Wrap method ``name`` that ``cls`` itself defines; nothing happens where it does not or is ours."""
    with _lock:
        original = vars(cls).get(name)
        if isinstance(original, FunctionType) and not getattr(original, MARK, False):
            _put(cls, name, wrap(original))
            _hooked.setdefault(cls, set()).add(name)


def removed() -> list[str]:
    """Return the classes whose hooks are not there any more."""
    return sorted(cls.__qualname__ for cls, names in list(_hooked.items()) if not _are_hooked(cls, names))


def _descendants(root: type) -> list[type]:
    found: dict[type, None] = {}
    pending: list[type] = list(type.__subclasses__(root))
    while pending:
        cls = pending.pop()
        if cls not in found:
            found[cls] = None
            pending += type.__subclasses__(cls)
    return list(found)


def _follow_subclasses(root: Any, name: str, wrap: Wrap, failed: Failed) -> None:
    before = vars(root).get("__init_subclass__")

    def __init_subclass__(cls: type, /, **options: Any) -> None:  # noqa: N807  # becomes the special method
        if before is not None:
            before.__func__(cls, **options)
        else:
            super(root, cls).__init_subclass__(**options)
        try:
            _hook_class(cls, root, name, wrap)
        except Exception as error:  # noqa: BLE001  # the user's class is made, hooked or not
            failed(f"{cls.__qualname__} could not be hooked ({type(error).__name__})")

    root.__init_subclass__ = classmethod(__init_subclass__)
    setattr(root, _FOLLOWED, (*vars(root).get(_FOLLOWED, ()), name))


def _hook_class(cls: type, root: type, name: str, wrap: Wrap) -> None:
    """Wrap the method that ``cls`` defines, or that a mixin outside the tree gives it."""
    owner = next((base for base in cls.__mro__ if name in vars(base)), None)
    if owner is None or (owner is not cls and issubclass(owner, root)):
        return  # inherited from a class that is hooked itself
    original = vars(owner)[name]
    if not isinstance(original, FunctionType) or _is_abstract(original):
        return
    if not getattr(original, MARK, False):
        _put(cls, name, wrap(original))
    _hooked.setdefault(cls, set()).add(name)


def _put(cls: type, name: str, wrapper: Callable[..., Any]) -> None:
    setattr(wrapper, MARK, True)
    setattr(cls, name, unseen(wrapper))


def _is_abstract(method: FunctionType) -> bool:
    """Whether a method only says what is to be defined, or (Cirq's alternatives) calls the one that is."""
    return bool(getattr(method, "__isabstractmethod__", False) or hasattr(method, "_abstract_alternatives_"))


def _are_hooked(cls: type, names: set[str]) -> bool:
    return all(getattr(vars(cls).get(name), MARK, False) for name in names)
