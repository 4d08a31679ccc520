"""``qsec replay``: a recorded run again, from its evidence, with a verdict."""

from .command import replay

__all__ = ["replay"]
