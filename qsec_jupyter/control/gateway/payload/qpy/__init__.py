"""QPY read as bytes: what it holds is checked, and where names stand, without making a circuit of it."""

from .cursor import Kind, Malformed, NotHidden, Place, TooCostly, Unsupported
from .file import VERSIONS, QpyFile, read, rewrite

__all__ = [
    "VERSIONS",
    "Kind",
    "Malformed",
    "NotHidden",
    "Place",
    "QpyFile",
    "TooCostly",
    "Unsupported",
    "read",
    "rewrite",
]
