"""The cloud around the provider: identity tokens, the search for instances, the catalogue of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from ..accounts import INSTANCES, Instance
from ..calls import Answer, Call, Route, answer
from ..refusals import Refusal, unknown

if TYPE_CHECKING:
    from ..app import Sandbox

_GRANT = "urn:ibm:params:oauth:grant-type:apikey"


async def token(sandbox: Sandbox, call: Call) -> Answer:
    """Exchange an API key for a bearer, as IBM Cloud's IAM does (``POST /identity/token``)."""
    form = parse_qs((await call.body()).decode("utf-8", "replace"))
    if form.get("grant_type") != [_GRANT]:
        raise Refusal(400, 102, "Grant type is missing or not supported.", "")
    key = form.get("apikey", [""])[0]
    seconds = sandbox.book.settings.token_seconds
    bearer, until = sandbox.book.accounts.exchange(key, seconds)
    return answer(
        {
            "access_token": bearer,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expires_in": int(seconds),
            "expiration": int(until),
            "scope": "ibm openid",
        }
    )


async def search(sandbox: Sandbox, call: Call) -> Answer:
    """Find the caller's instances, as Global Search does."""
    account = sandbox.caller(call)
    await call.json()
    items = [_item(instance, sandbox) for instance in account.instances.values()]
    return answer({"items": items, "limit": 100})


def _item(instance: Instance, sandbox: Sandbox) -> dict[str, Any]:
    return {
        "crn": instance.crn,
        "name": instance.name,
        "service_plan_unique_id": instance.plan_id,
        "tags": list(instance.tags),
        "doc": {"extensions": [{"backends": list(sandbox.book.devices)}]},
    }


def plan(sandbox: Sandbox, call: Call, plan_id: str) -> Answer:
    """Describe a plan, as Global Catalog does."""
    sandbox.caller(call)
    found = next((each for each in INSTANCES if each.plan_id == plan_id), None)
    if found is None:
        raise unknown("Catalogue entry")
    return answer(
        {
            "id": plan_id,
            "name": found.plan,
            "overview_ui": {"en": {"display_name": found.plan.capitalize()}},
            "metadata": {"pricing": {"type": found.pricing}},
        }
    )


def resources(sandbox: Sandbox, call: Call) -> Answer:
    """List instances by name, as Resource Controller does."""
    account = sandbox.caller(call)
    names = call.query().get("name")
    found = [
        {"crn": each.crn, "name": each.name, "region_id": each.region}
        for each in account.instances.values()
        if names is None or each.name in names
    ]
    return answer({"rows_count": len(found), "next_url": None, "resources": found})


def resource(sandbox: Sandbox, call: Call, crn: str) -> Answer:
    """Describe an instance, as Resource Controller does."""
    found = sandbox.caller(call).instance(crn)
    return answer({"crn": found.crn, "name": found.name, "region_id": found.region})


ROUTES: list[Route] = [
    ("POST", "/identity/token", token),
    ("POST", "/v3/resources/search", search),
    ("GET", "/catalog/api/v1/{}", plan),
    ("GET", "/v2/resource_instances", resources),
    ("GET", "/v2/resource_instances/{}", resource),
]
