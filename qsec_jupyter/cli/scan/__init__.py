"""``qsec scan``: find secrets in files, staged changes and history, and take them out when told to.

It is called for every commit, so it starts in a tenth of a second: its options are read by argparse, and
what a run does not need is not imported (docs/adr/0021).
"""

from .command import main

__all__ = ["main"]
