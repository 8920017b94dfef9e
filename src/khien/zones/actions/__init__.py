"""Every write on zones."""

from khien.zones.actions.figures import load_cases, report_capacity
from khien.zones.actions.needs import NEEDS, end_need, load_needs, record_need, take_back_need
from khien.zones.actions.orders import Signed, close_zone, open_zone, put_in_force, supersede, withdraw
from khien.zones.actions.people import expire_tasks, push, refresh_presence, report_task

__all__ = [
    "NEEDS", "Signed", "close_zone", "end_need", "expire_tasks", "load_cases", "load_needs", "open_zone", "push",
    "put_in_force", "record_need", "refresh_presence", "report_capacity", "report_task", "supersede", "take_back_need",
    "withdraw",
]  # fmt: skip
