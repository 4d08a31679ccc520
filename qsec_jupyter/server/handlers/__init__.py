"""REST for the browser, below ``<base_url>/qsec``: relays to the control plane, and the last scans."""

from .handler import QsecHandler
from .routes import ROUTES, routes

__all__ = ["ROUTES", "QsecHandler", "routes"]
