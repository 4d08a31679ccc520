"""Who owns this Jupyter Server: the principal that the control plane is told at start."""

from __future__ import annotations

import getpass
import os


def owner() -> dict[str, str]:
    """Return name, display name, identity provider and subject of the server's owner.

    On a laptop that is the operating system's account: a Jupyter token says only that somebody
    holds the token, and its anonymous names change with every browser. Under JupyterHub it is the
    Hub's user.

    The subject stays when the name changes: the account's number, or what the Hub's configuration puts
    into ``QSEC_USER_ID``. A Hub tells its servers no such thing by itself, and the account's number in a
    container is the same for all; without the variable the name is all there is.
    """
    hub_user = os.environ.get("JUPYTERHUB_USER")
    if hub_user:
        number = os.environ.get("QSEC_USER_ID")
        return _owner(hub_user, "jupyterhub", f"hub:{number}" if number else hub_user)
    return _owner(getpass.getuser(), "local account", f"uid:{os.getuid()}")


def _owner(name: str, provider: str, subject: str) -> dict[str, str]:
    return {"name": name, "display_name": name, "identity_provider": provider, "subject": subject}
