"""The secrets engines that a target may name; ``TargetSource.engine`` picks one."""

from .catalogue import (
    DELIVERING,
    ENGINES,
    OPERATING,
    described,
    engine_of,
    operator_of,
    revocability,
    tier_of,
)
from .engine import Engine, Material, Operator, SessionCalls, mount_of, name_of
from .transit import check_offered, key_type

__all__ = [
    "DELIVERING",
    "ENGINES",
    "OPERATING",
    "Engine",
    "Material",
    "Operator",
    "SessionCalls",
    "check_offered",
    "described",
    "engine_of",
    "key_type",
    "mount_of",
    "name_of",
    "operator_of",
    "revocability",
    "tier_of",
]
