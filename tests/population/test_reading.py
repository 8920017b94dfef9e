"""Looking at an extract before anybody parses it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.population.load import reading


@given(st.lists(st.tuples(st.text('a,;" \n'), st.text("a,; \n")), max_size=20), st.sampled_from([b",", b";"]))
def test_separators_are_counted_alike_in_short_and_long_texts(fields: list[tuple[str, str]], separator: bytes) -> None:
    text = "".join('"' + quoted.replace('"', '""') + f'",{bare}' for quoted, bare in fields).encode()
    counts = []
    for short in (0, 1 << 30):  # by numpy, by Python
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reading, "_SHORT", short)
            counts.append(reading.separators(text, separator))
    bare = "".join(f",{bare}" for _, bare in fields)
    assert counts == [bare.encode().count(separator)] * 2
