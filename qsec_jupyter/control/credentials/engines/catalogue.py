"""Which engine a name means."""

from __future__ import annotations

from ....core.errors import Denied, Invalid
from ....core.model import Tier
from ..broker import TargetSource
from .engine import Described, Engine, Operator
from .ibm_iam import IbmBearer
from .identity_token import IdentityToken
from .kv import KeyValue
from .leased import Aws, Database, IbmCloudKey
from .pki import ClientCertificate
from .ssh import SignedSshKey
from .transit import Transit

_KV = KeyValue()
_KEYS = IbmCloudKey()
DELIVERING: dict[str, Engine] = {
    "kv-v2": _KV,
    "database": Database(),
    "pki": ClientCertificate(),
    "ssh": SignedSshKey(),
    "identity": IdentityToken(),
    "aws": Aws(),
    "ibmcloud": _KEYS,
    "ibm-iam": IbmBearer(_KV),
    "ibmcloud-iam": IbmBearer(_KEYS),
}
OPERATING: dict[str, Operator] = {"transit": Transit()}
ENGINES: dict[str, Described] = {**DELIVERING, **OPERATING}


def engine_of(source: TargetSource) -> Engine:
    """Return the engine that delivers a target's credential.

    Raises:
        Denied: ``vault.operate_only`` for a target whose key never leaves its store.
        Invalid: ``vault.engine_unknown``.
    """
    if source.engine in OPERATING:
        raise Denied(
            "vault.operate_only",
            "The target's key never leaves its store",
            "Its tier is operate: there is no value to hand out.",
            "Use qsec.sign(target, data) or qsec.encrypt(target, data).",
        )
    return DELIVERING.get(source.engine) or _unknown(source)


def operator_of(source: TargetSource) -> Operator:
    """Return what operates a target's key.

    Raises:
        Invalid: ``vault.not_operated`` for a target that delivers.
    """
    found = OPERATING.get(source.engine)
    if found is None:
        raise Invalid(
            "vault.not_operated",
            "The target does not sign or encrypt",
            f"Its engine is {source.engine}, its tier deliver.",
            "Use qsec.credential(target).",
        )
    return found


def described(source: TargetSource) -> Described:
    """Return what is known of a target's engine.

    Raises:
        Invalid: ``vault.engine_unknown``.
    """
    return ENGINES.get(source.engine) or _unknown(source)


def revocability(name: str) -> str:
    """Return what ending a session of this engine does to a copy, honestly.

    Raises:
        Invalid: ``vault.engine_unknown``.
    """
    return described(TargetSource(name, "")).revocability


def tier_of(name: str) -> Tier:
    """Return the tier that an engine serves."""
    return "operate" if name in OPERATING else "deliver"


def _unknown(source: TargetSource) -> Engine:
    raise Invalid(
        "vault.engine_unknown",
        "The target's secrets engine is not supported",
        f"The catalogue says {source.engine!r}.",
        f"Use one of {', '.join(sorted(ENGINES))} in catalog.toml.",
    )
