"""Secure quantum-cloud work from notebooks: ``import qsec_jupyter as qsec``.

Names of the public API load when they are first used, so that the import itself stays free.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .kernel.api import (
        Credential,
        braket_session,
        credential,
        decrypt,
        encrypt,
        exposure,
        extend,
        grants,
        provenance,
        request,
        revoke,
        runtime_service,
        sign,
        status,
        targets,
        verify,
    )

__all__ = [
    "Credential",
    "braket_session",
    "credential",
    "decrypt",
    "encrypt",
    "exposure",
    "extend",
    "grants",
    "provenance",
    "request",
    "revoke",
    "runtime_service",
    "sign",
    "status",
    "targets",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .kernel import api

    value = getattr(api, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Provenance(ModuleType):
    """The sub-package ``provenance`` once imported: still called like the function of that name."""

    def __call__(self, run_id: str | None = None) -> Any:
        from .kernel.api import provenance as show

        return show(run_id)


class _Package(ModuleType):
    """This package: importing the sub-package ``provenance`` must not hide ``qsec.provenance()``."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "provenance" and isinstance(value, ModuleType):
            value.__class__ = _Provenance
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "qsec-jupyter"}]
