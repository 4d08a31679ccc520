"""What changes the sandbox itself: settings, faults, keys, devices, reservations, results of a wanted size.

All of it needs the admin token, and none of it is what a provider has.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..accounts import INSTANCES
from ..book import Reservation
from ..calls import NOTHING, Answer, Call, Route, answer
from ..faults import KINDS, read_fault
from ..jobs import Planted, new_id
from ..refusals import malformed, unknown

if TYPE_CHECKING:
    from ..app import Sandbox


def state(sandbox: Sandbox, call: Call) -> Answer:
    """Say everything: settings, faults, jobs, sessions, devices."""
    sandbox.refuse_others(call)
    book = sandbox.book
    counts: dict[str, int] = {}
    for job in book.jobs.values():
        counts[job.status] = counts.get(job.status, 0) + 1
    return answer(
        {
            "settings": book.settings.document(),
            "faults": [fault.document() for fault in sandbox.faults.armed],
            "jobs": counts,
            "sessions": [each.document(book.clock()) for each in book.sessions.values()],
            "devices": {each.name: each.online for each in book.devices.values()},
            "instances": [{"name": each.name, "crn": each.crn, "plan": each.plan} for each in INSTANCES],
            "reservations": [each.document() for each in book.reservations.values()],
        }
    )


def every_job(sandbox: Sandbox, call: Call) -> Answer:
    """List all jobs of all instances, with their parameters: what the provider saw."""
    sandbox.refuse_others(call)
    told = [
        {**job.document(), "instance": job.instance, "request": job.body.decode("utf-8", "replace")}
        for job in sandbox.book.jobs.values()
    ]
    return answer({"jobs": told})


async def settings(sandbox: Sandbox, call: Call) -> Answer:
    """Change settings; what is not named stays."""
    sandbox.refuse_others(call)
    sandbox.book.settings = sandbox.book.settings.changed((await call.json())[0])
    return answer(sandbox.book.settings.document())


async def arm(sandbox: Sandbox, call: Call) -> Answer:
    """Arm a fault."""
    sandbox.refuse_others(call)
    given, _ = await call.json()
    fault = read_fault(given.get("line", given))
    sandbox.faults.armed.append(fault)
    return answer(fault.document(), 201)


def faults(sandbox: Sandbox, call: Call) -> Answer:
    """List the faults that are armed, and the kinds there are."""
    sandbox.refuse_others(call)
    return answer({"faults": [fault.document() for fault in sandbox.faults.armed], "kinds": KINDS})


def disarm(sandbox: Sandbox, call: Call) -> Answer:
    """Disarm all faults."""
    sandbox.refuse_others(call)
    sandbox.faults.armed.clear()
    return NOTHING


async def plant(sandbox: Sandbox, call: Call) -> Answer:
    """Give a job, or the next ones, a result of a wanted size."""
    sandbox.refuse_others(call)
    given, _ = await call.json()
    size, times = given.get("bytes"), given.get("times", 1)
    if not isinstance(size, int) or not isinstance(times, int) or size < 16 or times < 1:
        raise malformed("bytes is a number of at least 16, times one of at least 1.")
    if (job_id := given.get("job_id")) is None:
        sandbox.schedule.plants += [size] * times
    elif (job := sandbox.book.jobs.get(str(job_id))) is None:
        raise unknown("Job")
    else:
        job.result = Planted(size)
    return NOTHING


async def device(sandbox: Sandbox, call: Call, name: str) -> Answer:
    """Take a device off line, or put it back."""
    sandbox.refuse_others(call)
    given, _ = await call.json()
    found = sandbox.book.device(name)
    found.online = given.get("online", True) is True
    found.message = str(given.get("message", "available" if found.online else "maintenance"))
    return NOTHING


async def reserve(sandbox: Sandbox, call: Call) -> Answer:
    """Reserve a device for an instance."""
    sandbox.refuse_others(call)
    given, _ = await call.json()
    name, crn = str(given.get("backend")), _crn(given.get("instance"))
    sandbox.book.device(name)
    start, end = (_moment(given, edge) for edge in ("start", "end"))
    if start >= end:
        raise malformed("A reservation ends after it starts.")
    made = Reservation(new_id(), crn, name, start, end)
    sandbox.book.reservations[made.id] = made
    return answer(made.document(), 201)


def _crn(given: Any) -> str:
    found = next((each.crn for each in INSTANCES if given in (each.crn, each.name)), None)
    if found is None:
        raise unknown("Instance")
    return found


def _moment(given: dict[str, Any], name: str) -> float:
    value = given.get(name)
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise malformed(f"{name} is a time: ISO 8601, or seconds since 1970.") from None


def unreserve(sandbox: Sandbox, call: Call, reservation_id: str) -> Answer:
    """Take a reservation back."""
    sandbox.refuse_others(call)
    if sandbox.book.reservations.pop(reservation_id, None) is None:
        raise unknown("Reservation")
    return NOTHING


async def add_key(sandbox: Sandbox, call: Call) -> Answer:
    """Let another API key in, for all instances or those that are named."""
    sandbox.refuse_others(call)
    given, _ = await call.json()
    key, names = given.get("key"), given.get("instances")
    if not isinstance(key, str) or len(key) < 20:
        raise malformed("key is a text of at least 20 characters.")
    chosen = INSTANCES if names is None else tuple(each for each in INSTANCES if each.name in names)
    return answer({"id": sandbox.book.accounts.add(key, chosen).id}, 201)


def remove_key(sandbox: Sandbox, call: Call, account_id: str) -> Answer:
    """Forget an API key and every bearer made from it."""
    sandbox.refuse_others(call)
    if not sandbox.book.accounts.remove(account_id):
        raise unknown("Key")
    return NOTHING


def expire(sandbox: Sandbox, call: Call) -> Answer:
    """Let all bearers have expired."""
    sandbox.refuse_others(call)
    sandbox.book.accounts.expire()
    return NOTHING


def health(sandbox: Sandbox, call: Call) -> Answer:
    """Say that this is a sandbox and that it is up."""
    return answer({"qsec": "sandbox", "status": "up"})


ROUTES: list[Route] = [
    ("GET", "/sandbox/v1/health", health),
    ("GET", "/sandbox/v1/state", state),
    ("GET", "/sandbox/v1/jobs", every_job),
    ("PATCH", "/sandbox/v1/settings", settings),
    ("GET", "/sandbox/v1/faults", faults),
    ("POST", "/sandbox/v1/faults", arm),
    ("DELETE", "/sandbox/v1/faults", disarm),
    ("POST", "/sandbox/v1/plants", plant),
    ("PUT", "/sandbox/v1/devices/{}", device),
    ("POST", "/sandbox/v1/reservations", reserve),
    ("DELETE", "/sandbox/v1/reservations/{}", unreserve),
    ("POST", "/sandbox/v1/keys", add_key),
    ("DELETE", "/sandbox/v1/keys/{}", remove_key),
    ("POST", "/sandbox/v1/bearers/expire", expire),
]
