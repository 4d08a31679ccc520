"""What is kept of runs: signed statements (records), encrypted artefacts, and the index that finds them."""

from .artefacts import Artefacts
from .records import Evidence
from .runs import Runs

__all__ = ["Artefacts", "Evidence", "Runs"]
