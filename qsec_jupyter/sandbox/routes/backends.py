"""The devices: list, configuration, properties, status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..calls import Answer, Call, Route, answer
from ..devices import Device

if TYPE_CHECKING:
    from ..app import Sandbox


def listing(sandbox: Sandbox, call: Call) -> Answer:
    """List the devices that the instance may use."""
    sandbox.caller(call).instance(call.header("service-crn"))
    mocks = call.query().get("include_mocks", ["false"])[0].lower() == "true"
    devices = [each for each in sandbox.book.devices.values() if mocks or not each.mock]
    return answer({"devices": [_entry(device, sandbox) for device in devices]})


def _entry(device: Device, sandbox: Sandbox) -> dict[str, Any]:
    told = {
        "name": device.name,
        "status": {"name": "online" if device.online else "offline", "reason": device.message},
        "is_simulator": False,
        "qubits": device.qubits,
        "physical_qubits": device.qubits,
        "processor_type": device.configuration.get("processor_type"),
        "queue_length": sandbox.book.waiting(device.name),
        "wait_time_seconds": {"average": sandbox.book.settings.queue_seconds},
        "sandbox": sandbox.book.settings.document()["prices"],
    }
    return {**told, "class": "mock"} if device.mock else told


def configuration(sandbox: Sandbox, call: Call, name: str) -> Answer:
    """Say what a device can do."""
    sandbox.caller(call).instance(call.header("service-crn"))
    device = sandbox.book.device(name)
    if calibration_id := call.query().get("calibration_id"):
        device.find_calibration(sandbox.book.now(), None, calibration_id[0])
    return answer(device.configuration)


def properties(sandbox: Sandbox, call: Call, name: str) -> Answer:
    """Say what a device's calibration found: the newest, that of a time, or that of a name."""
    sandbox.caller(call).instance(call.header("service-crn"))
    device, query = sandbox.book.device(name), call.query()
    number = device.find_calibration(
        sandbox.book.now(),
        query.get("updated_before", [None])[0],
        query.get("calibration_id", [None])[0],
    )
    return answer(device.properties(number))


def status(sandbox: Sandbox, call: Call, name: str) -> Answer:
    """Say whether a device takes jobs, and how many wait for it."""
    sandbox.caller(call).instance(call.header("service-crn"))
    device = sandbox.book.device(name)
    return answer(
        {
            "state": device.online,
            "status": "active" if device.online else "internal",
            "message": device.message,
            "length_queue": sandbox.book.waiting(name),
            "backend_version": device.configuration["backend_version"],
        }
    )


ROUTES: list[Route] = [
    ("GET", "/api/v1/backends", listing),
    ("GET", "/api/v1/backends/{}/configuration", configuration),
    ("GET", "/api/v1/backends/{}/properties", properties),
    ("GET", "/api/v1/backends/{}/status", status),
]
