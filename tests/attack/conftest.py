"""Journals to attack, with real runs in them."""

from recorded import plane, qsec, qsec_home, record, recorded, replayed

__all__ = ["plane", "qsec", "qsec_home", "record", "recorded", "replayed"]
