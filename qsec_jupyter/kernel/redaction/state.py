"""What this kernel keeps out of sight."""

from __future__ import annotations

from ...scan.known import KnownValues
from ...scan.masking import Masker

known = KnownValues()
"""Every value that this kernel was given."""

masker = Masker(known)
"""Finds and masks them."""
