"""Plaintext credentials of quantum vendors that lie around on a machine, and the way to move them away."""

from .model import Plain
from .places import PLACES, Place
from .scrub import scrub
from .search import everywhere

__all__ = ["PLACES", "Place", "Plain", "everywhere", "scrub"]
