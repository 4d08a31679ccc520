"""Server configuration of the UI tests.

Never use it in production: Galata's helper turns token and XSRF off and puts the application on ``window``.
With ``QSEC_UI_TOKEN`` both stay on, as on a user's server; one story is told there. Authentication,
authorisation and XSRF have their own tests, in ``tests/attack``.
"""

import os

from jupyterlab.galata import configure_jupyter_server

c = get_config()  # noqa: F821  # Jupyter hands it in
if token := os.environ.get("QSEC_UI_TOKEN"):
    c.IdentityProvider.token = token
    c.ServerApp.open_browser = False
    c.LabApp.expose_app_in_browser = True
else:
    configure_jupyter_server(c)
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = int(os.environ["QSEC_UI_PORT"])
c.ServerApp.root_dir = os.environ["QSEC_UI_ROOT"]
c.ServerApp.allow_root = os.geteuid() == 0
# A workspace has to outlive a restart of the server.
c.LabApp.workspaces_dir = os.environ["QSEC_UI_WORKSPACES"]
