"""Claim: nobody but the logged-in user of this very server reaches a qsec route.

A real Jupyter Server with token and XSRF checks on, attacked as a page of another origin, as a process
without the token, and as a logged-in user whom the authoriser refuses.
"""

import http.client
import json
import os
import re
import urllib.parse
from http.cookies import SimpleCookie
from pathlib import Path

import pytest

from qsec_jupyter.cli.demo_check.jupyter import Server
from qsec_jupyter.server.handlers import ROUTES

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PATHS = [
    re.sub(r"\((/?\w+)(\|\w+)*\)\??", r"\1", pattern.replace(r"([0-9A-Za-z_-]{1,64})", "g1"))
    for pattern, _ in ROUTES
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("origin")
    (folder / "work").mkdir()
    server = Server(folder, folder / "work", {**os.environ, "QSEC_HOME": str(folder / "home")})
    yield server
    server.process.terminate()
    server.process.wait(20)


def ask(
    server: Server, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None
):
    address = urllib.parse.urlsplit(server._url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.request(method, address.path + path, body=body, headers=headers or {})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, answer.headers, data


def login(server: Server) -> str:
    """Return the cookie header of a browser that is logged in."""
    _, headers, _ = ask(server, "GET", f"lab?token={server._token}")
    jar = SimpleCookie()
    for cookie in headers.get_all("Set-Cookie", []):
        jar.load(cookie)
    assert "_xsrf" in jar
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", VERBS)
def test_no_route_answers_without_the_token(server: Server, method: str, path: str) -> None:
    status, _, data = ask(server, method, f"qsec/{path}", body="{}" if method != "GET" else None)
    assert status in {403, 405}, data


def test_a_page_of_another_origin_cannot_ask_for_a_grant(server: Server) -> None:
    cookie = login(server)
    body = json.dumps({"target": "sandbox", "reason": "x", "kernel_id": "k"})
    status, _, _ = ask(
        server,
        "POST",
        "qsec/grants",
        {"Cookie": cookie, "Origin": "http://evil.example", "Content-Type": "text/plain"},
        body,
    )
    assert status in {403, 404}  # Jupyter answers an API request of another origin with 404
    assert server.state()["grants"] == []


@pytest.mark.parametrize("path", [path for path in PATHS if "/" in path or path == "grants"])
def test_a_post_with_the_cookie_alone_is_refused(server: Server, path: str) -> None:
    status, _, _ = ask(server, "POST", f"qsec/{path}", {"Cookie": login(server)}, "{}")
    assert status in {403, 405}


def test_a_page_of_another_origin_cannot_read_the_state(server: Server) -> None:
    status, headers, _ = ask(
        server, "GET", "qsec/state", {"Cookie": login(server), "Origin": "http://evil.example"}
    )
    # Jupyter answers a cross-origin GET with 404 and no CORS header, so that the page learns nothing.
    assert status in {403, 404}
    assert "Access-Control-Allow-Origin" not in headers


def test_a_framed_page_is_refused_by_its_policy(server: Server) -> None:
    _, headers, _ = ask(server, "GET", "qsec/state", {"Authorization": f"token {server._token}"})
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]


def test_the_bearer_of_the_control_plane_is_not_in_the_servers_log(server: Server) -> None:
    assert server.state()["principal"]
    log = Path(server.log).read_text()
    assert "Bearer" not in log
