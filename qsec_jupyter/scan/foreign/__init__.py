"""Rules that come from elsewhere: the user's own, a site's, and those of other scanners."""

from .collection import collect, finders
from .model import Collection, Finder, Refused

__all__ = ["Collection", "Finder", "Refused", "collect", "finders"]
