"""Looking at an extract before anybody parses it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.population.load import reading

PARTS = st.sampled_from([1, 3, 7, 1 << 19])  # of a text that is looked at at once: quotes stand open across their ends


@given(st.lists(st.tuples(st.text('a,;" \n'), st.text("a,; \n")), max_size=20), st.sampled_from([b",", b";"]), PARTS)
def test_separators_are_counted_alike_in_short_and_long_texts(
    fields: list[tuple[str, str]], separator: bytes, part: int
) -> None:
    text = "".join('"' + quoted.replace('"', '""') + f'",{bare}' for quoted, bare in fields).encode()
    counts = []
    for short in (0, 1 << 30):  # by numpy, by Python
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_SHORT", short)
            patch.setattr(reading, "_PART", part)
            counts.append(reading.separators(text, separator))
    bare = "".join(f",{bare}" for _, bare in fields)
    assert counts == [bare.encode().count(separator)] * 2


@given(st.text('a,"\n').map(str.encode), PARTS)
def test_a_line_with_odd_quotes_is_seen_wherever_it_stands(data: bytes, part: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_PART", part)
        assert reading._broken_in_field(data) == any(line.count(b'"') & 1 for line in data.split(b"\n"))
