"""What the command line's tests share with those that attack it."""

from recorded import plane, qsec, qsec_home, record, recorded, replayed

__all__ = ["plane", "qsec", "qsec_home", "record", "recorded", "replayed"]
