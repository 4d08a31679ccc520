"""All formats, one module a family."""

from ..model import Format
from . import clouds, developer, generic, keys, quantum, services

QUANTUM: tuple[Format, ...] = quantum.FORMATS
OTHERS: tuple[Format, ...] = (
    *keys.FORMATS,
    *clouds.FORMATS,
    *developer.FORMATS,
    *services.FORMATS,
    *generic.FORMATS,
)
FORMATS: tuple[Format, ...] = (*QUANTUM, *OTHERS)
