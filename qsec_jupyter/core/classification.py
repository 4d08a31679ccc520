"""What each data class lets a notebook hold: what is redacted, what is blocked, what is only shown.

A notebook names its class in its metadata, ``qsec.data_class``. That is a wish: policy sets the
default for notebooks that name none, and a floor below which no notebook can put itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from .errors import Invalid

DataClass = Literal["public", "internal", "confidential", "restricted"]
DATA_CLASSES: tuple[DataClass, ...] = get_args(DataClass)
"""From the most open to the strictest."""

Treatment = Literal["show", "redact", "block"]
"""``show``: written and reported. ``redact``: a marker is written. ``block``: nothing is written."""


@dataclass(frozen=True, slots=True)
class ClassRule:
    """What happens to a secret in a file of one data class.

    Attributes:
        source: In the source of a cell.
        outputs: In outputs, metadata and attachments.
        files: In a text file that is no notebook; a marker would break what reads it, so it is
            ``show`` or ``block``.
        keep: Whether a person may keep a finding with a reason.
    """

    source: Treatment = "redact"
    outputs: Treatment = "redact"
    files: Treatment = "show"
    keep: bool = True

    def __post_init__(self) -> None:
        treatments = get_args(Treatment)
        if self.source not in treatments or self.outputs not in treatments:
            raise _invalid("source and outputs are show, redact or block")
        if self.files not in {"show", "block"} or not isinstance(self.keep, bool):
            raise _invalid("files is show or block, keep is true or false")


@dataclass(frozen=True, slots=True)
class Classified:
    """The class that holds for a file, and why."""

    name: DataClass
    rule: ClassRule
    why: str


_OPEN = ClassRule()
_SHIPPED: Mapping[DataClass, ClassRule] = MappingProxyType(
    {
        "public": _OPEN,
        "internal": _OPEN,
        "confidential": ClassRule(files="block"),
        "restricted": ClassRule(source="block", files="block", keep=False),
    }
)


@dataclass(frozen=True, slots=True)
class DataPolicy:
    """The rules of all data classes.

    Attributes:
        default: The class of a notebook that names none, and of every other file.
        floor: The lowest class that a notebook can give itself.
        rules: One for each class.
    """

    default: DataClass = "internal"
    floor: DataClass = "public"
    rules: Mapping[DataClass, ClassRule] = field(default_factory=lambda: _SHIPPED)

    def __post_init__(self) -> None:
        if self.default not in DATA_CLASSES or self.floor not in DATA_CLASSES:
            raise _invalid(f"default and floor are one of {', '.join(DATA_CLASSES)}")

    def of(self, notebook: Any = None) -> Classified:
        """Return the class that holds for a notebook, or for a file that is none.

        A class that policy does not know counts as the strictest: a slip of the pen must not open
        what was meant to be closed.
        """
        wish = named(notebook)
        if wish is None:
            chosen, why = self.default, "the default of policy"
        elif isinstance(wish, str) and wish in DATA_CLASSES:
            chosen, why = DATA_CLASSES[DATA_CLASSES.index(wish)], "named by the notebook"
        else:
            chosen, why = DATA_CLASSES[-1], "the notebook names a class that policy does not know"
        if DATA_CLASSES.index(chosen) < DATA_CLASSES.index(self.floor):
            chosen, why = self.floor, "the lowest class that policy allows"
        return Classified(chosen, self.rules[chosen], why)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        rules = {name: asdict(rule) for name, rule in self.rules.items()}
        return {"default": self.default, "floor": self.floor, "rules": rules}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DataPolicy:
        """Build a policy from its JSON or TOML form; what is missing is as shipped.

        Raises:
            Invalid: ``policy.data_classes`` naming what is wrong.
        """
        rules: dict[DataClass, ClassRule] = dict(_SHIPPED)
        given = data.get("rules", {})
        if unknown := set(given) - set(DATA_CLASSES):
            raise _invalid(f"there is no class {min(unknown)!r}")
        for name in DATA_CLASSES:
            try:
                rules[name] = ClassRule(**{**asdict(rules[name]), **given.get(name, {})})
            except TypeError as error:
                raise _invalid(f"class {name!r} has a setting that does not exist") from error
        shipped = cls()
        return cls(data.get("default", shipped.default), data.get("floor", shipped.floor), rules)


def named(notebook: Any) -> Any:
    """Return the class that a notebook's metadata names, whatever it is; ``None`` when it names none."""
    place = notebook
    for key in ("metadata", "qsec", "data_class"):
        if not isinstance(place, dict) or key not in place:
            return None
        place = place[key]
    return place


def _invalid(what: str) -> Invalid:
    return Invalid(
        "policy.data_classes", "The rules of the data classes are not valid", what, "Correct catalog.toml."
    )
