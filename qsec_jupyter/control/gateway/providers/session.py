"""The HTTP session with which the control plane itself asks providers."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter

CONNECTIONS = 16
"""How many connections are kept; as many calls are made at the same time (``jobs/endings.py``)."""


def plain_session() -> requests.Session:
    """Return a session that several threads may use: without cookies, proxies or a ``.netrc``."""
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))
    return session
