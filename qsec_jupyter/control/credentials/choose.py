"""Decides, once and by what the machine has, which store is in use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .broker import Broker, TargetSource
from .keystore import KeyStore, real_keyring
from .sealed import SealedBroker


def choose_broker(home: Path, targets: Mapping[str, TargetSource], environ: Mapping[str, str]) -> Broker:
    """Open the store; see :func:`.broker.open_broker`."""
    return SealedBroker(home, targets, KeyStore(home, real_keyring()))
