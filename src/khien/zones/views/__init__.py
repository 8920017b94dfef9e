"""Pages of zones: the map of a day, one zone and its people, orders, grades, movement, the work of a commune."""

from khien.zones.views.grades import capacity, grades
from khien.zones.views.lists import difference, household_sheets, needing, people_file
from khien.zones.views.map import zones
from khien.zones.views.movement import flows
from khien.zones.views.orders import change, close, new, sign, withdraw
from khien.zones.views.person import needs, residence
from khien.zones.views.work import doubts, push, tasks, tasks_file
from khien.zones.views.zone import zone

__all__ = [
    "capacity", "change", "close", "difference", "doubts", "flows", "grades", "household_sheets", "needing", "needs",
    "new", "people_file", "push", "residence", "sign", "tasks", "tasks_file", "withdraw", "zone", "zones",
]  # fmt: skip
