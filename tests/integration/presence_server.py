"""A Jupyter Server with jupyter-collaboration; its owner and others have one document open together.

    python presence_server.py FOLDER PYTHON

PYTHON runs the control plane. Nobody but the owner connects to the kernel: the others have the document
open together with her, as a second browser tab does before its first cell runs. Prints one JSON object.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from collaboration_app import tell
from jupyter_server.auth.identity import IdentityProvider, User
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

FOLDER, PYTHON = Path(sys.argv[1]), sys.argv[2]
PATH = "a.ipynb"


class Badges(IdentityProvider):
    """Knows people by a header, as a proxy that signs them in does."""

    def get_user(self, handler):
        name = handler.request.headers.get("X-Badge")
        return User(username=name, name=name, display_name=name) if name else None

    def should_check_origin(self, handler):
        return False


class Story:
    def __init__(self, app):
        self.at = f"127.0.0.1:{app.port}{app.base_url}"

    async def ask(self, method, path, body=None, badge="ada"):
        text = None if body is None else json.dumps(body)
        request = HTTPRequest(
            f"http://{self.at}{path}", method=method, headers={"X-Badge": badge}, body=text,
            allow_nonstandard_methods=True, request_timeout=60,
        )  # fmt: skip
        answer = await AsyncHTTPClient().fetch(request)
        return json.loads(answer.body) if answer.body else None

    async def open(self, badge):
        """Open the shared document, and stay in it as a tab does."""
        wanted = {"format": "json", "type": "notebook"}
        told = await self.ask("PUT", f"api/collaboration/session/{PATH}", wanted, badge)
        room = f"json:notebook:{told['fileId']}"
        url = f"ws://{self.at}api/collaboration/room/{room}?sessionId={told['sessionId']}"
        return await websocket_connect(HTTPRequest(url, headers={"X-Badge": badge}))

    async def grant(self, kernel):
        try:
            told = await self.ask(
                "POST", "qsec/grants", {"target": "sandbox", "reason": "r", "kernel_id": kernel}
            )
        except HTTPClientError as error:
            return {"id": "", "state": json.loads(error.response.body)["code"]}
        return told

    async def until(self, condition):
        """Return how long it took until the state of the panel is so (s); ``None`` when it never was."""
        began = time.monotonic()
        while time.monotonic() - began < 10:
            if condition(await self.ask("GET", "qsec/state")):
                return time.monotonic() - began
            await asyncio.sleep(0.05)
        return None


def is_in(state, grant):
    return next((one["state"] for one in state["grants"] if one["id"] == grant["id"]), None)


async def tell_story(app):
    told, story = {}, Story(app)
    app.web_app.settings["qsec_control"].start()
    body = {"path": PATH, "name": PATH, "type": "notebook", "kernel": {"name": "python3"}}
    kernel = (await story.ask("POST", "api/sessions", body))["kernel"]["id"]
    tabs = [await story.open("ada"), await story.open("ada")]  # her own two tabs are nobody else
    grant = await story.grant(kernel)
    await asyncio.sleep(2.5)
    state = await story.ask("GET", "qsec/state")
    told["alone"] = [is_in(state, grant), state["shared"]]

    guest = await story.open("eve")
    told["seconds until the guest counts"] = await story.until(lambda state: is_in(state, grant) == "revoked")
    told["with a guest"] = (await story.ask("GET", "qsec/state"))["shared"]
    told["refused"] = (await story.grant(kernel))["state"]
    guest.close()
    told["seconds until she is gone"] = await story.until(lambda state: state["shared"] == [])
    again = await story.grant(kernel)
    told["after the guest"] = again["state"]

    colleague = await story.open("bo")
    told["seconds until the colleague counts"] = await story.until(lambda state: bool(state["shared"]))
    state = await story.ask("GET", "qsec/state")
    told["with a colleague"] = [is_in(state, again), state["shared"]]
    colleague.close()
    for tab in tabs:
        tab.close()
    await story.ask("DELETE", f"api/kernels/{kernel}")
    return told


def with_control_plane(app):
    """This environment has no control plane of its own."""
    app.web_app.settings["qsec_control"]._command = (
        PYTHON, "-m", "qsec_jupyter.cli", "serve", "--embedded"
    )  # fmt: skip


(FOLDER / PATH).write_text(json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
tell(
    tell_story,
    FOLDER,
    100,
    ["--QsecExtension.owner_username=ada"],
    prepare=with_control_plane,
    identity_provider_class=Badges,
    disable_check_xsrf=True,
)
