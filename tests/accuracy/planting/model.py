"""What is planted: formats, the words by which their clients name them, and where a value went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

Kind = Literal["structured", "opaque", "issued"]


@dataclass(frozen=True, slots=True)
class Client:
    """How a vendor's users and tools name one credential.

    Attributes:
        product: As a person writes it in prose and in log lines.
        variables: Names that people give the value in code.
        env: Environment variables that the client reads.
        keys: Keys in JSON, YAML and INI files, and columns of tables.
        calls: Python statements; ``{v}`` is an expression that gives the value.
        headers: HTTP header lines with ``{v}``.
        shells: Command lines with ``{v}``.
        files: Name and content of configuration files with ``{v}``.
        host: Of its API.
        logger: Name of its logger.
    """

    product: str
    variables: tuple[str, ...] = ("token", "api_key")
    env: tuple[str, ...] = ()
    keys: tuple[str, ...] = ("token", "api_key")
    calls: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    shells: tuple[str, ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    host: str = "api.example-cloud.io"
    logger: str = "client"


@dataclass(frozen=True, slots=True)
class Format:
    """One vendor's credential: how its values look and how they are named.

    Attributes:
        kind: ``structured`` values are recognised by themselves, ``opaque`` ones by what names them.
        secret_part: Takes the sensitive part out of a value that has public parts, e.g. a URL.
    """

    vendor: str
    name: str
    kind: Kind
    make: Callable[[Random], str]
    client: Client
    secret_part: Callable[[str], str] = str
    multiline: bool = False


@dataclass(slots=True)
class Planted:
    """One secret in one notebook; what must be gone after redaction."""

    format: Format
    value: str
    kind: Kind
    surface: str = ""
    shape: str = ""
    fragments: tuple[str, ...] = ()
    label: str = ""

    @property
    def vendor(self) -> str:
        """Whose credential it is."""
        return self.format.vendor


@dataclass(slots=True)
class Innocent:
    """A text that looks like a secret and is none.

    ``exact`` negatives are long and random enough that their absence after redaction proves a false alarm.
    """

    kind: str
    text: str
    surface: str = ""


@dataclass(slots=True)
class Sample:
    """A generated notebook or text file and what stands in it."""

    path: str
    content: dict | str  # type: ignore[type-arg]
    planted: list[Planted] = field(default_factory=list)
    innocents: list[Innocent] = field(default_factory=list)
