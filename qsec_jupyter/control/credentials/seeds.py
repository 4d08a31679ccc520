"""Made-up values for stores that this program owns, so that a first run needs no real account."""

from __future__ import annotations

import secrets


def made_up_token() -> str:
    """Return 44 random characters in the form of an IBM Quantum API token; it opens nothing.

    The form is IBM Cloud's for API keys: 44 characters of the URL-safe base64 alphabet.
    """
    return secrets.token_urlsafe(33)  # 33 bytes are exactly 44 characters, without padding
