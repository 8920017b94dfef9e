"""Pages of the register."""

from khien.population.views.households import household
from khien.population.views.persons import person, scan, search, undo

__all__ = ["household", "person", "scan", "search", "undo"]
