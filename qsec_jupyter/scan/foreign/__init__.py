"""Rules that come from elsewhere: the user's own, a site's, and those of other scanners."""

from .collection import Collection, Finder, Refused, collect

__all__ = ["Collection", "Finder", "Refused", "collect"]
