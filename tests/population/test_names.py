"""Names as a clerk sorts, searches and compares them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.core.text import fold
from khien.population.rules.name_likeness import Likeness, compare
from khien.population.rules.names import NameParts, mrz_name, mrz_parts, name_key, name_sort, split


def test_parts() -> None:
    assert split("Nguyễn Thị Ví Dụ") == NameParts("Nguyễn", "Thị Ví", "Dụ")
    assert split("  Lê   Mẫu ") == NameParts("Lê", "", "Mẫu")
    assert split("Mẫu") == NameParts("", "", "Mẫu")
    assert name_key("Nguyễn Thị Ví Dụ") == "du nguyen thi vi"
    assert mrz_parts("Đỗ Thị Ước-Mơ") == ("DO", "THI UOC MO")


def test_vietnamese_order() -> None:
    in_order = [
        "Vũ An", "Bùi Ánh", "Bùi Ăn", "Bùi Ân", "Lê Bình", "Lê Dung", "Lê Dũng", "Lê Đức", "Lê Em", "Lê Êm",
        "Lê Hoa", "Trần Hoa", "Lê Hòa", "Lê Hỏa", "Lê Hõa", "Lê Hóa", "Lê Họa", "Lê Hoàn", "Lê Oanh", "Lê Ôn", "Lê Ơn",
        "Lê Tú", "Lê Tư", "Lê Yến",
    ]  # fmt: skip
    keys = [name_sort(name) for name in in_order]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    ("left", "right", "likeness"),
    [
        ("Nguyễn Thị Ví Dụ", "NGUYỄN  THỊ VÍ DỤ", Likeness.SAME),
        ("Lê Hoà", "Lê Hòa", Likeness.SAME),
        ("Nguyễn Thị Ví Dụ", "NGUYEN THI VI DU", Likeness.UNACCENTED),
        ("Lê Văn Mẫu", "Lê Vân Mâu", Likeness.UNACCENTED),
        ("Lê Văn Mẫu", "Lê Văn Mậu", Likeness.ONE_APART),
        ("Lê Văn Mẫu", "Lê Văn Mẫn", Likeness.ONE_APART),
        ("Lê Văn Mẫu", "Lê Van Mẫuu", Likeness.ONE_APART),
        ("Lê Văn Mẫu", "Mẫu Lê Văn", Likeness.ORDER),
        ("Lê Văn Bảo", "Lê Văn Bửu", Likeness.DIFFERENT),
        ("Lê Văn Mẫu", "Lê Mẫu", Likeness.DIFFERENT),
    ],
)
def test_likeness(left: str, right: str, likeness: Likeness) -> None:
    assert compare(left, right).likeness == likeness == compare(right, left).likeness


def test_the_differing_words_are_named() -> None:
    assert compare("Lê Văn Bảo", "Lê Văn Bửu").words == (("Bảo", "Bửu"),)


@given(st.text())
def test_folding_changes_nothing_twice(name: str) -> None:
    assert fold(fold(name)) == fold(name)
    assert name_key(fold(name)) == name_key(name) == fold(name_key(name))
    assert mrz_name(mrz_name(name)) == mrz_name(name)
    assert compare(name, name).likeness == Likeness.SAME
