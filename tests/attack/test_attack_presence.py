"""Claim: who joins a kernel takes part in it with no more than their own rights, before they can run a line.

A real Jupyter Server with an identity provider, a real kernel, a real control plane; two people.
"""

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from catalogue import target
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

ROLES = '[roles]\nresearcher = ["bo"]\n'


class Badges(IdentityProvider):
    """Knows people by a header, as a proxy that signs them in does."""

    browsers: ClassVar[dict] = {}

    def get_user(self, handler):
        name = handler.request.headers.get("X-Badge")
        if name == "anonymous":
            return self.browsers.setdefault(name, self.generate_anonymous_user(handler))
        return User(username=name) if name else None

    def should_check_origin(self, handler):
        return False


@pytest.fixture
def jp_server_config(tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "catalog.toml").write_text(ROLES + target())
    monkeypatch.setenv("QSEC_HOME", str(home))
    monkeypatch.delenv("VAULT_ADDR", raising=False)
    monkeypatch.setenv("PATH", "")  # no Vault: the sealed store
    return {
        "ServerApp": {
            "jpserver_extensions": {"qsec_jupyter.server": True},
            "identity_provider_class": Badges,
            "disable_check_xsrf": True,
        },
        "QsecExtension": {"owner_username": "ada"},
    }


class Place:
    def __init__(self, fetch, port, base):
        self._fetch, self._port, self._base = fetch, port, base

    async def ask(self, method, *path, body=None, badge="ada"):
        answer = await self._fetch(
            *path,
            method=method,
            headers={"X-Badge": badge},
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
        )
        return json.loads(answer.body) if answer.body else None

    async def state(self):
        return await self.ask("GET", "qsec", "state")

    async def join(self, kernel, badge):
        url = f"ws://127.0.0.1:{self._port}{self._base}api/kernels/{kernel}/channels?session_id={badge}"
        return await websocket_connect(HTTPRequest(url, headers={"X-Badge": badge}))

    async def grant(self, kernel):
        body = {"target": "sandbox", "reason": "r", "kernel_id": kernel}
        return await self.ask("POST", "qsec", "grants", body=body)

    async def until(self, condition, seconds=5.0):
        began, state = time.monotonic(), None
        while time.monotonic() - began < seconds:
            try:
                state = await self.state()
            except HTTPClientError as error:
                if error.code != 503:  # the answer while a control plane starts again
                    raise
            else:
                if condition(state):
                    return time.monotonic() - began
            await asyncio.sleep(0.02)
        pytest.fail(f"not within {seconds} s: {state['shared'] if state else 'no answer'}")


@pytest.fixture
def story(jp_serverapp, jp_fetch, jp_http_port, jp_base_url):
    """Return a function that gives a place and one of its kernels, and ends both."""

    @asynccontextmanager
    async def begin():
        jp_serverapp.web_app.settings["qsec_control"].start()
        place = Place(jp_fetch, jp_http_port, jp_base_url)
        kernel = (await place.ask("POST", "api", "kernels", body={"name": "python3"}))["id"]
        try:
            yield place, kernel
        finally:
            await place.ask("DELETE", "api", "kernels", kernel)
            for one in jp_serverapp.extension_manager.extension_apps["qsec_jupyter.server"]:
                await one.stop_extension()

    return begin


def states(state):
    return {grant["id"]: grant["state"] for grant in state["grants"]}


async def test_guest_without_a_role_ends_what_the_kernel_holds_before_running_a_line(story) -> None:
    async with story() as (place, kernel):
        mine = await place.join(kernel, "ada")
        grant = await place.grant(kernel)
        assert grant["state"] == "active"
        assert (await place.state())["shared"] == []
        began = time.monotonic()
        guest = await place.join(kernel, "eve")
        seconds = await place.until(lambda state: states(state)[grant["id"]] == "revoked")
        assert time.monotonic() - began < 2.0, seconds
        (shared,) = (await place.state())["shared"]
        assert shared == {"kernel_id": kernel, "present": ["eve"], "roles": []}
        with pytest.raises(HTTPClientError) as refused:
            await place.grant(kernel)
        assert refused.value.code == 403
        guest.close()
        await place.until(lambda state: state["shared"] == [])
        assert (await place.grant(kernel))["state"] == "active"
        mine.close()


async def test_colleague_with_the_same_role_shares_and_a_second_guest_counts_once(story) -> None:
    async with story() as (place, kernel):
        grant = await place.grant(kernel)
        bo, again = await place.join(kernel, "bo"), await place.join(kernel, "bo")
        await place.until(lambda state: state["shared"] and state["shared"][0]["present"] == ["bo"])
        state = await place.state()
        assert state["shared"][0]["roles"] == ["researcher"]
        assert states(state)[grant["id"]] == "active"
        bo.close()
        await asyncio.sleep(0.3)
        assert (await place.state())["shared"] != []  # their other tab is still there
        again.close()
        await place.until(lambda state: state["shared"] == [])


async def test_owners_second_browser_is_nobody_else(story) -> None:
    async with story() as (place, kernel):
        grant = await place.grant(kernel)
        tabs = [await place.join(kernel, badge) for badge in ("ada", "anonymous")]
        await asyncio.sleep(0.3)
        state = await place.state()
        assert state["shared"] == []
        assert states(state)[grant["id"]] == "active"
        for tab in tabs:
            tab.close()


async def test_control_plane_that_restarts_is_told_who_is_there(story, jp_serverapp) -> None:
    async with story() as (place, kernel):
        guest = await place.join(kernel, "eve")
        await place.until(lambda state: state["shared"] != [])
        control = jp_serverapp.web_app.settings["qsec_control"]
        before = control.pid
        control._process.kill()
        while control.pid in {before, None}:  # noqa: ASYNC110  # the supervisor tells nobody
            await asyncio.sleep(0.05)
        await place.until(lambda state: state["shared"] != [], 30.0)
        with pytest.raises(HTTPClientError):
            await place.grant(kernel)
        guest.close()
