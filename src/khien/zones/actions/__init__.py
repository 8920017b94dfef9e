"""Every write on zones."""

from khien.zones.actions.figures import load_cases, report_capacity
from khien.zones.actions.orders import Signed, close_zone, open_zone, put_in_force, supersede, withdraw
from khien.zones.actions.people import NEEDS, expire_passages, push, record_need, refresh_presence, report_task

__all__ = [
    "NEEDS", "Signed", "close_zone", "expire_passages", "load_cases", "open_zone", "push", "put_in_force",
    "record_need", "refresh_presence", "report_capacity", "report_task", "supersede", "withdraw",
]  # fmt: skip
