"""What Python source says a value is: by its syntax tree, across the cells of a notebook."""

from .readings import Reading, SourceReader

__all__ = ["Reading", "SourceReader"]
