"""Dates typed as day, month and year."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from khien.core.forms import DateField, DayField, one_of


@given(st.dates(dt.date(1850, 1, 1), dt.date(2399, 12, 31)))
def test_what_is_shown_reads_back_as_the_same_day(day: dt.date) -> None:
    field = DateField()
    assert field.clean([str(part) for part in field.widget.decompress(day)]) == day


@given(st.dates(dt.date(1850, 1, 1), dt.date(2399, 12, 31)))
def test_a_day_in_one_box_reads_back_as_it_is_shown_and_as_an_address_has_it(day: dt.date) -> None:
    field = DayField()
    assert field.clean(field.widget.format_value(day)) == field.clean(day.isoformat()) == day
    assert field.widget.format_value(day.isoformat()) == field.widget.format_value(day)


@pytest.mark.parametrize("typed", ["5/9/2021", "05.09.2021", "5-9-2021", "5 9 2021", "05092021", " 05/09/2021 "])
def test_a_day_is_read_day_first_however_it_is_typed(typed: str) -> None:
    assert DayField().clean(typed) == dt.date(2021, 9, 5)


@given(st.text(max_size=12) | st.from_regex(r"[0-9/. -]{1,12}", fullmatch=True))
def test_any_typing_in_one_box_is_a_day_or_a_clear_refusal(typed: str) -> None:
    try:
        assert isinstance(DayField().clean(typed), dt.date)
    except ValidationError as refusal:
        assert refusal.messages


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
        (["31", "12", "9999"], "invalid"),
        (["31", "12", "1849"], "invalid"),
        (["", "", ""], "required"),
    ],
)
def test_refusals_say_why(parts: list[str], code: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        DateField().clean(parts)
    assert refusal.value.code == code


def test_an_empty_date_is_none_where_none_is_needed() -> None:
    assert DateField(required=False).clean(["", " ", ""]) is None


def test_of_several_nothing_is_chosen_beforehand() -> None:
    two = [("a", "A"), ("b", "B")]
    assert [value for value, _name in one_of(iter(two))] == ["", "a", "b"]
    assert one_of(two[:1]) == two[:1]  # the only one needs no choosing
    assert one_of([("group", two)])[0][0] == ""
    assert [value for value, _name in one_of([])] == [""]
