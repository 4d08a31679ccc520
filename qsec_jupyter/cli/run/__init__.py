"""``qsec run``: a program with credentials on demand, as a workload with an identity of its own."""

from .command import run

__all__ = ["run"]
