"""The providers that the gateway speaks for, one module each."""

from __future__ import annotations

from collections.abc import Mapping

from .braket import Braket
from .ibm import Ibm
from .provider import Provider

PROVIDERS: Mapping[str, Provider] = {provider.name: provider for provider in (Ibm(), Braket())}

__all__ = ["PROVIDERS", "Provider"]
