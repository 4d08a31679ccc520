"""``qsec demo --check``: the first-run notebook walked without a browser."""

from .walk import run as run
