"""``qsec policy``: check a bundle, try it, ask it why, and compare it with what is in force."""

from .commands import app

__all__ = ["app"]
