"""What happens to a file on its way to the disk, and to what lies there already."""

from .guard import SaveGuard
from .report import ScanReport

__all__ = ["SaveGuard", "ScanReport"]
