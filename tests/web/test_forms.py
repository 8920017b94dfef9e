"""Dates typed as day, month and year."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from khien.core.forms import DateField


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_what_is_shown_reads_back_as_the_same_day(day: dt.date) -> None:
    field = DateField()
    assert field.clean([str(part) for part in field.widget.decompress(day)]) == day


@given(st.lists(st.text(max_size=6), min_size=3, max_size=3))
def test_any_typing_is_a_day_or_a_clear_refusal(parts: list[str]) -> None:
    try:
        assert isinstance(DateField().clean(parts), dt.date)
    except ValidationError as refusal:
        assert refusal.messages


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        (["31", "2", "2021"], "invalid"),
        (["1", "", "2021"], "incomplete"),
        (["1", "1", "21"], "invalid"),
        (["", "", ""], "required"),
    ],
)
def test_refusals_say_why(parts: list[str], code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        DateField().clean(parts)
    assert refusal.value.code == code


def test_an_empty_date_is_none_where_none_is_needed() -> None:
    assert DateField(required=False).clean(["", " ", ""]) is None
