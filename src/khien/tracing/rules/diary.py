"""The symptom diary: what is asked on a day, what asks for a call, how long its code opens it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from khien.rulebook import in_force, load


def rule_on(day: dt.date) -> Mapping[str, Any]:
    """The rule in force; before the first one the first one."""
    entries = load("contacts", "diary")["diary"]
    return (in_force(entries, day) or entries[:1])[-1]


def alarming(symptoms: Collection[str], temperature: Decimal | None, on: dt.date) -> bool:
    """Whether an entry asks the commune for a call; temperature in °C."""
    rule = rule_on(on)
    return bool(set(symptoms) & set(rule["alarming"])) or (
        temperature is not None and temperature >= Decimal(str(rule["fever"]))
    )


def closes_on(today: dt.date, watch_until: dt.date | None) -> dt.date:
    """First day on which a code made today opens no diary any more."""
    rule = rule_on(today)
    if watch_until is None:
        return today + dt.timedelta(days=rule["open_days"])
    return max(watch_until, today + dt.timedelta(days=1)) + dt.timedelta(days=rule["days_after"])
