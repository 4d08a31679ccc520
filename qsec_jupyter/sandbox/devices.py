"""The sandbox's devices: real ones' descriptions under a sandbox's name, calibrated anew every few hours.

What is known of the real devices is read from the files that the client's package carries for its own fake
backends; the client itself is not imported here, which would take seconds.
"""

from __future__ import annotations

import copy
import functools
import importlib.util
import json
import random
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from .refusals import Refusal, malformed, unknown

CALIBRATION = timedelta(hours=6)
"""How often a device is calibrated."""
HISTORY = timedelta(days=365)
"""How far back calibrations are known."""

DEVICES: Mapping[str, str] = {
    "sandbox_manila": "manila",  # 5 qubits
    "sandbox_lima": "fractional",  # 5 qubits, with fractional gates
    "sandbox_cairo": "hanoi",  # 27 qubits; what is known of Cairo itself has edges of one direction
    "sandbox_brisbane": "brisbane",  # 127 qubits
}
"""The devices of every sandbox and the models they have. Each has a counterpart ``mock_…`` that answers at
random, for dry runs."""


class Device:
    """One device.

    Args:
        name: What it is called.
        model: The real device that it is like.
        started: When the sandbox began; calibrations are counted from the midnight before it.
    """

    def __init__(self, name: str, model: str, started: datetime) -> None:
        self.name = name
        self.model = model
        self.online = True
        self.message = "available"
        self.started = started.isoformat()
        self._midnight = started.replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def mock(self) -> bool:
        """Whether it answers at random."""
        return self.name.startswith("mock_")

    @functools.cached_property
    def configuration(self) -> dict[str, Any]:
        """What the device can do, as the client reads it."""
        found = _file(self.model, "conf")
        found["backend_name"] = self.name
        found["description"] = f"{found.get('description', 'device')} (qsec sandbox, simulated)"
        return found

    @property
    def qubits(self) -> int:
        """How many it has."""
        return int(self.configuration["n_qubits"])

    def calibrations(self, now: datetime) -> int:
        """Return the number of the calibration that holds at that time."""
        return (now - self._midnight) // CALIBRATION

    def calibration_id(self, number: int) -> str:
        """Return the name of a calibration."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"qsec-sandbox/{self.name}/{self._date(number)}"))

    def _date(self, number: int) -> datetime:
        return self._midnight + number * CALIBRATION

    def find_calibration(self, now: datetime, before: str | None, calibration_id: str | None) -> int:
        """Return the number of the calibration that a request asks for.

        Args:
            now: The time.
            before: The last moment that counts, ISO 8601.
            calibration_id: A calibration's name.

        Raises:
            Refusal: 404.
        """
        newest, oldest = self.calibrations(now), self.calibrations(now - HISTORY)
        if calibration_id is not None:
            for number in range(newest, oldest - 1, -1):
                if self.calibration_id(number) == calibration_id:
                    return number
            raise unknown("Calibration")
        if before is None:
            return newest
        number = min(newest, self.calibrations(_moment(before)))
        if number < oldest:
            raise unknown("Properties of that time")
        return number

    def properties(self, number: int) -> dict[str, Any]:
        """Return what a calibration found, as the client reads it."""
        found = copy.deepcopy(_file(self.model, "props"))
        shift = self._date(number) - datetime.fromisoformat(found["last_update_date"]).astimezone(
            timezone.utc
        )
        drift = random.Random(f"{self.name}/{self._date(number)}")  # noqa: S311 - only has to look alive
        measured = [*found["qubits"], *(gate["parameters"] for gate in found["gates"]), found["general"]]
        for item in (item for items in measured for item in items):
            item["date"] = _shifted(item["date"], shift)
            if item["name"] in _DRIFTS:
                item["value"] *= 1 + drift.uniform(-0.04, 0.04)
        found["last_update_date"] = self._date(number).isoformat()
        found["backend_name"] = self.name
        found["calibration_id"] = self.calibration_id(number)
        return found

    def refuse_if_offline(self) -> None:
        """Make sure that jobs are taken.

        Raises:
            Refusal: 400.
        """
        if not self.online:
            raise Refusal(400, 1234, f"Backend {self.name} is offline: {self.message}.", "Take another one.")


_DRIFTS = frozenset({"T1", "T2", "readout_error", "prob_meas0_prep1", "prob_meas1_prep0", "gate_error"})


def _shifted(date: str, shift: timedelta) -> str:
    return (datetime.fromisoformat(date).astimezone(timezone.utc) + shift).isoformat()


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise malformed("A date is written as in ISO 8601.") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


@functools.lru_cache
def _text(model: str, kind: str) -> str:
    package = importlib.util.find_spec("qiskit_ibm_runtime")
    assert package is not None, "the command looks for it before it starts a sandbox"
    assert package.origin is not None
    folder = Path(package.origin).parent / "fake_provider" / "backends" / model
    return (folder / f"{kind}_{model}.json").read_text(encoding="utf-8")


def _file(model: str, kind: str) -> dict[str, Any]:
    return dict(json.loads(_text(model, kind)))


def all_devices(models: Mapping[str, str], started: datetime) -> dict[str, Device]:
    """Return devices by name, and for each one that answers at random.

    Args:
        models: Name to model.
        started: When the sandbox began.
    """
    mocks = {f"mock_{name.partition('_')[2]}": model for name, model in models.items()}
    return {name: Device(name, model, started) for name, model in {**models, **mocks}.items()}


def check_device(name: str, model: str) -> None:
    """Make sure that a device can be made.

    Raises:
        Refusal: 400 for a name that does not say what it is, 404 for a model that is not known.
    """
    if "sandbox" not in name or "_" not in name or name.startswith("mock_"):
        raise malformed("A device's name has 'sandbox' and an underscore in it.")
    try:
        _file(model, "props")
    except OSError:
        raise unknown(f"Model {model}") from None
