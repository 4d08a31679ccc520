"""Keeps known values out of everything that leaves the kernel.

Two choke points, both given to ipykernel on its command line, see every message:

* ``Session.packer``: :func:`pack` serialises each part of each message (``messages``);
* ``IPKernelApp.outstream_class``: :class:`RedactingOutStream` sees text before it is cut into messages
  and holds back a suffix that may begin a known value, until the next write or the end of the cell
  (``streams``).

:func:`install` adds what those two do not see: binary buffers of comms and messages that are packed
already (``messages``), IPython's history, ``%store`` and Verbose tracebacks (``shell``), logging
(:mod:`qsec_jupyter.scan.logs`). ``hooks`` remembers each, so that ``%qsec status`` can say when one is gone.

It guards against accidents. A value cut up by the user's own arithmetic, files that the user writes, or code
that puts the original functions back are out of its reach.
"""

from .guard import checks, install, register
from .messages import pack
from .state import known, masker
from .streams import RedactingOutStream, last_words

__all__ = ["RedactingOutStream", "checks", "install", "known", "last_words", "masker", "pack", "register"]
