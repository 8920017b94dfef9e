"""Every write of access, by subject: accounts and posts, agencies, keys of other systems, records and the log."""

from khien.access.actions.accounts import (
    add_account,
    add_officer,
    assign_role,
    change_days,
    disable_account,
    issue_password,
    reset_second_factor,
    set_password,
)
from khien.access.actions.agencies import add_agency, change_agency, close_agency, reopen_agency, take_back_agency
from khien.access.actions.keys import add_api_key, revoke_api_key
from khien.access.actions.records import drop_months, open_by_card, open_own_record

__all__ = [
    "add_account", "add_agency", "add_api_key", "add_officer", "assign_role", "change_agency", "change_days",
    "close_agency", "disable_account", "drop_months", "issue_password", "open_by_card", "open_own_record",
    "reopen_agency", "reset_second_factor", "revoke_api_key", "set_password", "take_back_agency",
]  # fmt: skip
