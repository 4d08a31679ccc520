"""QPY read as bytes: what it holds is checked, and where names stand, without making a circuit of it."""

from .cursor import Kind, Malformed, NotHidden, Place, TooCostly, Unsupported
from .file import VERSIONS, QpyFile, read, rewrite
from .gates import gates
from .listing import Listing

__all__ = [
    "VERSIONS",
    "Kind",
    "Listing",
    "Malformed",
    "NotHidden",
    "Place",
    "QpyFile",
    "TooCostly",
    "Unsupported",
    "gates",
    "read",
    "rewrite",
]
