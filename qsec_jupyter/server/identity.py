"""Who owns this Jupyter Server: the principal that the control plane is told at start."""

from __future__ import annotations

import getpass
import os


def owner() -> dict[str, str]:
    """Return name, display name and identity provider of the server's owner.

    On a laptop that is the operating system's account: a Jupyter token says only that somebody
    holds the token, and its anonymous names change with every browser. Under JupyterHub it is the
    Hub's user.
    """
    hub_user = os.environ.get("JUPYTERHUB_USER")
    if hub_user:
        return {"name": hub_user, "display_name": hub_user, "identity_provider": "jupyterhub"}
    name = getpass.getuser()
    return {"name": name, "display_name": name, "identity_provider": "local account"}
