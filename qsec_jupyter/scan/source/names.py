"""Where source says what a value is: assignments, keywords, keys, calls, defaults, returns."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

_CREDENTIAL = re.compile(
    r"(?i)token|secret|passw|kennwort|pwd|passphrase|credential|api_?key|_key\b|\bkey\b|bearer|cookie|jwt|\bauth"
    r"|x-auth|-key\b|schl(?:ue|ü)ssel|refresh|myqos|access_?code|(?:\b|_)(?:pass|pw|tok|creds?)_{0,2}\b"
)
_VENDOR = re.compile(
    r"(?i)qiskitruntimeservice|(?:save|enable|active|use)_account|ibm(?:q|_?provider|quantum)|ionq|d_?wave|aqt|iqm|quantinuum|nexus|alice_?bob|perceval"
    r"|quandela|remoteprocessor|remoteconfig|superstaq|bluequbit|qbraid|quantuminspire|oqc|pasqal|qctrl|fire_?opal|boulder"
    r"|rigetti|xanadu|strangeworks|classiq|azurekeycredential"
)
_MAKER = re.compile(
    r"(?:Provider|Client|Service|Credentials?|Creds|Sampler|SDK|Auth|Authentication|Account|Processor|Key|Token|Secret|API|Api)$"
    r"|^(?:login|authenticat\w+|connect|init|enable_account|save_account|set_account|use_account|sign_in)$"
)
_SETTER = re.compile(
    r"(?i)^(?:set|with|use|add|store|put|save|register|configure)?_?\w*"
    r"(?:token|secret|passw|api_?key|credential|auth)"
)
_ALSO_TELLING = re.compile(
    r"(?i)key|pass|pwd|pw\b|pat\b|cred|auth|contrase|mot_?de|ibm|hqs|qcs|appid|sas|sig\b"
)
_SLOTS = re.compile(r"%s|%r|\{\}")  # of what loggers and printers fill
_HEXLIKE = re.compile(r"[0-9a-fA-F-]+")


@dataclass(slots=True)
class Facts:
    """What one text says.

    Attributes:
        bound: Names and what they are assigned.
        added: Names and what is added to them: by ``+=``, ``append`` or ``extend``.
        returned: Functions and what they return.
        named: Expressions and the name under which they are used.
        loose: Expressions of several parts that nothing names.
    """

    bound: list[tuple[str, ast.expr]] = field(default_factory=list)
    added: list[tuple[str, ast.expr]] = field(default_factory=list)
    returned: list[tuple[str, ast.expr]] = field(default_factory=list)
    named: list[tuple[str, ast.expr]] = field(default_factory=list)
    loose: list[ast.expr] = field(default_factory=list)


_MOST_NODES = 60_000
_MOST_ROUNDS = 20
_LEAST = 12  # no shorter text is taken for a credential by its name (characters)
_LABELS = frozenset({"description", "label", "placeholder", "title", "prompt", "name", "help"})
_LOG_IN = re.compile(r"(?:Basic|Digest|Proxy|Ntlm|Password)Auth$")
_LABEL = re.compile(r"[A-Za-z_.\- ]+\d?(?: ?:)?")
_PAIR = 2


def facts(body: list[ast.stmt]) -> Facts:
    """Return what the statements of one text say; iterative, so that depth costs no stack."""
    found = Facts()
    stack: list[tuple[ast.AST, str]] = [(node, "") for node in reversed(body)]
    for _ in range(_MOST_NODES):
        if not stack:
            break
        node, function = stack.pop()
        kind = type(node)
        if (note := _NOTES.get(kind)) is not None:
            note(node, function, found)
            if kind in _FUNCTIONS:
                function = node.name  # type: ignore[attr-defined]  # what a function has
        below: list[tuple[ast.AST, str]] = []
        for name in _INNER.get(kind, ()):
            value: Any = getattr(node, name, None)
            inside = value if isinstance(value, list) else (value,)
            below += [(one, function) for one in inside if _INNER.get(type(one))]
        below.reverse()
        stack += below
    return found


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SAYING_NOTHING = frozenset({"ctx", "op", "ops", "id", "attr", "kind", "type_comment", "names", "module"})


_INNER: dict[type, tuple[str, ...]] = {
    kind: tuple(name for name in kind._fields if name not in _SAYING_NOTHING)
    for kind in vars(ast).values()
    if isinstance(kind, type) and issubclass(kind, ast.AST) and not issubclass(kind, (ast.Constant, ast.Name))
}
"""The fields of each kind of node in which others may stand that say something; none of a leaf.

Most nodes are names, constants and what an expression is loaded for: passing over them halves the time.
"""


def _assign(node: ast.Assign, function: str, found: Facts) -> None:
    for target in node.targets:
        _assigned(target, node.value, found)


def _annotated(node: ast.AnnAssign | ast.NamedExpr, function: str, found: Facts) -> None:
    if node.value is not None:
        _assigned(node.target, node.value, found)


def _augmented(node: ast.AugAssign, function: str, found: Facts) -> None:
    found.added.append((name_of(node.target), node.value))
    found.named.append((name_of(node.target), node.target))


def _return(node: ast.Return, function: str, found: Facts) -> None:
    if node.value is not None:
        found.returned.append((function, node.value))
        found.named.append((function, node.value))


def _sum(node: ast.BinOp, function: str, found: Facts) -> None:
    if isinstance(node.op, (ast.Add, ast.Mod)):
        found.loose.append(node)


def _format(node: ast.JoinedStr, function: str, found: Facts) -> None:
    found.loose.append(node)


def _loop(node: ast.For | ast.AsyncFor | ast.comprehension, function: str, found: Facts) -> None:
    _looped(node.target, node.iter, found)


def _pair(node: ast.AST, function: str, found: Facts) -> None:
    found.named += _pairs(node)


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield what is named where it stands: in a dictionary, a list of parameters, a comparison."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if (text := constant(key)) is not None:
                yield text, value
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        yield from _defaults(node.args)
    elif isinstance(node, ast.Compare):
        for other in node.comparators:
            yield name_of(node.left), other


def _looped(target: ast.expr, values: ast.expr, found: Facts) -> None:
    """Note what a loop over a list that is written out gives to its variables."""
    for value in values.elts[:_MOST_ROUNDS] if isinstance(values, (ast.Tuple, ast.List)) else ():
        _assigned(target, value, found)


def _assigned(target: ast.expr, value: ast.expr, found: Facts) -> None:
    if isinstance(target, (ast.Tuple, ast.List)):
        values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        starred = [isinstance(one, ast.Starred) for one in target.elts]
        if True in starred and len(values) >= len(target.elts) - 1:  # a, *rest, z = ...
            at, behind = starred.index(True), len(target.elts) - starred.index(True) - 1
            _assigned(ast.Tuple(target.elts[:at]), ast.Tuple(values[:at]), found)
            _assigned(ast.Tuple(target.elts[at + 1 :]), ast.Tuple(values[len(values) - behind :]), found)
        elif len(values) == len(target.elts):
            for one, its in zip(target.elts, values, strict=True):
                _assigned(one, its, found)
        return
    name = name_of(target)
    if name:
        found.bound.append((name, value))
        found.named.append((name, value))
        found.named += [(name, one) for one in _several(value)]
        if isinstance(value, ast.Lambda):
            found.returned.append((name, value.body))
            found.named.append((name, value.body))


def _several(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the texts of a list or an object whose name says what each of them is: ``tokens = [...]``."""
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        inside: list[ast.expr] = value.elts
    else:
        inside = value.values if isinstance(value, ast.Dict) else []
    for one in inside[:_MOST_ROUNDS]:
        if len(constant(one) or "") >= _LEAST:
            yield one


def _called(node: ast.Call, caller: str, found: Facts) -> None:
    function = name_of(node.func)
    if function in ("append", "extend", "write") and isinstance(node.func, ast.Attribute):
        if (name := name_of(node.func.value)) and node.args:
            found.added.append((name, node.args[0]))
        return
    found.loose += _filling(node, function)
    found.named += _passwords(node, function)
    for keyword in node.keywords:
        if keyword.arg:
            found.named.append((keyword.arg, keyword.value))
            if keyword.arg in ("default", "value", "data", "secret") and (
                name := _first_name(node) or function
            ):
                found.named.append((name, keyword.value))
    if named := _first_name(node):
        found.named += [(named, value) for value in node.args if constant(value) != named]
    elif _VENDOR.search(function) or (
        node.args and _VENDOR.search(dotted(node.func)) and _MAKER.search(function)
    ):
        found.named += [(f"{function} token", value) for value in node.args[:3]]
    elif _SETTER.search(function) and _CREDENTIAL.search(function):
        found.named += [(function, value) for value in node.args[:3]]
    elif _MAKER.search(function):
        found.named += [(f"{function} api token", value) for value in node.args[:3]]
    inner = name_of(node.args[0]) if function == "partial" and node.args else ""
    if _VENDOR.search(inner) or _SETTER.search(inner):
        found.named += [(f"{inner} token", value) for value in node.args[1:3]]
    for value in node.args:
        if isinstance(value, (ast.List, ast.Tuple)):
            found.named += _options(value.elts)


def _passwords(node: ast.Call, function: str) -> Iterator[tuple[str, ast.expr]]:
    """Yield the password of ``auth=(user, password)``, ``HTTPBasicAuth(user, password)`` and the like."""
    pairs = [
        word.value.elts for word in node.keywords if word.arg == "auth" and isinstance(word.value, ast.Tuple)
    ]
    if _LOG_IN.search(function):
        pairs.append(node.args)
    if function in ("FTP", "FTP_TLS"):  # host, user, password
        pairs.append(node.args[1:3])
    for pair in pairs:
        if len(pair) == _PAIR:
            yield "password", pair[1]


def _filling(node: ast.Call, function: str) -> Iterator[ast.expr]:
    """Yield a call that puts a text together: ``join``, ``format``, or a logger's ``("token=%s", value)``."""
    if function in ("join", "format"):
        yield node
    elif node.args and _SLOTS.search(constant(node.args[0]) or ""):
        given = ast.copy_location(ast.Tuple(node.args[1:]), node)
        yield ast.copy_location(ast.BinOp(node.args[0], ast.Mod(), given), node)


def _options(values: list[ast.expr]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what follows an option in the arguments of a command: ``["--token", value]``."""
    for option, value in pairwise(values):
        name = constant(option)
        if name and name.startswith("-"):
            yield (
                {"-p": "--password", "-u": "--password", "-k": "--key", "-t": "--token"}.get(name, name),
                value,
            )


def _first_name(node: ast.Call) -> str:
    """Return the first argument that is a text and names a credential: ``setenv("API_KEY", value)``.

    What a field of a form is labelled with names its value, too: ``Text(value=..., description="API key")``.
    """
    for value in (*node.args, *(word.value for word in node.keywords if word.arg in _LABELS)):
        text = constant(value)
        if text and len(text) < 60 and _CREDENTIAL.search(text) and _LABEL.fullmatch(text):
            return text.rstrip(": ")
    return ""


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    given = [*arguments.posonlyargs, *arguments.args]
    if arguments.defaults:
        for argument, value in zip(given[-len(arguments.defaults) :], arguments.defaults, strict=False):
            yield argument.arg, value
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument.arg, default


_NOTES: dict[type, Callable[[Any, str, Facts], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.NamedExpr: _annotated,
    ast.AugAssign: _augmented,
    ast.Call: _called,
    ast.Return: _return,
    ast.BinOp: _sum,
    ast.JoinedStr: _format,
    **dict.fromkeys((ast.For, ast.AsyncFor, ast.comprehension), _loop),
    **dict.fromkeys((ast.Dict, *_FUNCTIONS, ast.Lambda, ast.Compare), _pair),
}
"""What each kind of node says: the node, the function that it stands in, and where it is noted."""


def name_of(node: ast.expr) -> str:
    """Return the name by which ``node`` is known: a variable, an attribute, a key; else nothing."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return constant(node.slice) or ""
    return ""


def dotted(node: ast.expr) -> str:
    """Return ``a.b.c`` as it is written."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    return ".".join(reversed(parts))


def constant(node: ast.expr | None) -> str | None:
    """Return a text that is written out."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def telling(name: str) -> bool:
    """Tell whether a rule of ours may take ``name`` for that of a credential."""
    return any(names.search(name) for names in (_ALSO_TELLING, _CREDENTIAL, _VENDOR))


def unclear(text: str, name: str) -> bool:
    """Tell whether a value that only its place in a call names may as well be an id."""
    return name.endswith(" api token") and _HEXLIKE.fullmatch(text) is not None
