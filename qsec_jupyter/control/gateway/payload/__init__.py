"""What is inside a job: read in a process of its own, measured, its names hidden and put back."""

from .cutter import Cutter
from .limits import Limits
from .names import opaque
from .restorer import Restorer
from .workers import Workers

__all__ = ["Cutter", "Limits", "Restorer", "Workers", "opaque"]
