"""Jobs at the gateway: envelope, quota, approval, ownership, unknown outcomes, endings, reconciliation."""

from .jobs import Jobs

__all__ = ["Jobs"]
