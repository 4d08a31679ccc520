"""A samplex, which an executor draws its randomisations from: read as JSON, none is made of it."""

from .arguments import rename_arguments
from .arrays import is_array
from .fields import Name
from .samplex import Samplex

__all__ = ["Name", "Samplex", "is_array", "rename_arguments"]
