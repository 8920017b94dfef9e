"""Ages and intervals: the date arithmetic of the CDSi logic specification (CALCDT-1 to 6)."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.vaccination.rules.periods import period

SPEC = [
    # start, length, answer
    ("2000-01-15", "5 years", "2005-01-15"),
    ("2000-02-29", "1 year", "2001-03-01"),  # a day that does not exist: the first of the next month
    ("2000-02-29", "4 years", "2004-02-29"),
    ("2000-10-31", "1 month", "2000-12-01"),
    ("2003-01-31", "1 month", "2003-03-01"),
    ("2001-05-01", "6 months - 4 days", "2001-10-28"),
    ("2000-01-15", "18 months + 4 weeks", "2001-08-12"),
    ("2000-02-29", "16 years - 4 months", "2015-10-29"),
    ("2000-02-29", "1 year + 1 month", "2001-04-01"),  # years first, then months
    ("2000-12-31", "2 months", "2001-03-01"),
    ("2000-01-01", "0 days", "2000-01-01"),
    ("2000-01-01", "13 weeks", "2000-04-01"),
    ("2000-01-01", "1 Year - 4 Days", "2000-12-28"),
]


@pytest.mark.parametrize(("start", "length", "answer"), SPEC)
def test_spec(start: str, length: str, answer: str) -> None:
    day = period(length).after(dt.date.fromisoformat(start).toordinal())
    assert dt.date.fromordinal(day).isoformat() == answer


@pytest.mark.parametrize("text", ["", "6", "weeks", "6 fortnights", "6 weeks 4 days", "6 weeks -", "n/a"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        period(text)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 60), st.integers(0, 24))
def test_months_never_go_backwards(start: dt.date, years: int, months: int) -> None:
    shorter = period(f"{years} years + {months} months").after(start.toordinal())
    longer = period(f"{years} years + {months + 1} months").after(start.toordinal())
    assert start.toordinal() <= shorter <= longer
    assert dt.date.fromordinal(shorter).day in (start.day, 1)


@given(st.dates(dt.date(1, 1, 1), dt.date(9000, 1, 1)), st.integers(0, 130), st.integers(-30, 30), st.integers(-40, 40))
def test_looking_a_month_up_is_counting_it(start: dt.date, years: int, months: int, days: int) -> None:
    length = period(f"{years} years {months:+} months {days:+} days".replace("+", "+ ").replace("-", "- "))
    day = max(start.toordinal(), dt.date(200, 1, 1).toordinal())
    if length.years or length.months:
        assert length.after(day) == length._count(day)
