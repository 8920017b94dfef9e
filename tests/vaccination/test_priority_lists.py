"""Lists of people who go first, as they come out of offices: with headings, spaces, lost zeros, in any encoding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.core.session import Session
from khien.population.rules import personal_number
from khien.vaccination import actions
from khien.vaccination.rules.listed import read_list
from khien.vaccination.store import people as store
from tests.vaccination.test_campaign import province

__all__ = ["province"]

NUMBERS = st.builds(
    personal_number.compose, st.just("079"), st.sampled_from(["male", "female"]), st.integers(1930, 2020),
    st.integers(0, 999_999),
)  # fmt: skip


def written(listed) -> list[tuple[int | None, str]]:
    return [(fault.line, fault.text("en")) for fault in listed.faults]


def test_what_offices_write_is_read_and_each_fault_has_its_line() -> None:
    content = (
        "Số định danh;Họ tên\n001080000001;Nguyễn Văn A\n 001 080 000002 ;B\n'001080000003\n\n"
        "1080000004\n01080000005;mất số 0\n001080000001;lại\nkhông phải số\n"
    ).encode("utf-8-sig")
    listed = read_list(content)
    assert listed.numbers == {"001080000001": 2, "001080000002": 3, "001080000003": 4}
    assert written(listed) == [
        (6, "Not a personal number of 12 digits."),
        (7, "11 digits: did the spreadsheet drop the first zero?"),
        (8, "Stands in line 2 already."),
        (9, "Not a personal number of 12 digits."),
    ]
    assert read_list("001080000001\r\n".encode("utf-16")).numbers == {"001080000001": 1}


@pytest.mark.parametrize("content", [b"PK\x03\x04rest", "số".encode() + b"\xff", b"0010\x0080000001"])
def test_what_is_no_text_is_refused_as_a_whole(content: bytes) -> None:
    with pytest.raises(BadInput) as refused:
        read_list(content)
    assert [fault.field for fault in refused.value.faults] == ["file"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_a_refusal(content: bytes) -> None:
    try:
        read_list(content)
    except BadInput as refused:
        assert refused.faults


@given(st.lists(NUMBERS, max_size=20, unique=True), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_clean_list_has_no_faults(numbers: list[str], end: str, heading: bool) -> None:
    content = end.join([*(["so_dinh_danh"] if heading else []), *numbers]).encode()
    assert (list(read_list(content).numbers), read_list(content).faults) == (numbers, ())


def test_known_people_are_put_in_and_the_others_named_by_line(province: Session) -> None:
    for person in (1, 2):
        province.execute(
            "INSERT INTO identifier (value, kind, person_id, valid)"
            " VALUES (%(value)s, 'personal_number', %(person)s, '[2000-01-01,)')",
            value=f"00108000000{person}", person=person,
        )  # fmt: skip
    done = actions.prioritise(
        by=province.actor, programme="covid_19_vn_2021", group_number=1, source="Bệnh viện",
        content=b"001080000001\n001080000009\n001080000002\n",
    )  # fmt: skip
    assert (done.done, written(done)) == (2, [(2, "Nobody of this number is known in your area.")])
    assert store.priority_counts(province, "covid_19_vn_2021") == {1: 2}
