"""Text files in a wrong encoding are named with their line, whatever reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khien.core.errors import BadInput
from khien.core.text import MOST_NOTE, free_text, read_utf8
from khien.simulation.nation import shares_from
from khien.vaccination import programmes
from khien.zones.lines import lines_of


def test_the_mark_in_front_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfm\xe1\xbb\x99t")
    assert read_utf8(tmp_path / "a.csv") == "một"


@pytest.mark.parametrize(
    "read",
    [read_utf8, shares_from, lambda path: programmes.find(str(path)), lambda path: lines_of(path, ["name"])],
    ids=["text", "shares", "programme", "zones"],
)
def test_a_wrong_byte_is_named_by_file_and_line(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    path = tmp_path / "cu.toml"
    path.write_bytes(b"# mot\n# hai\n" + "name = 'Tiêm'\n".encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        read(path)
    assert "cu.toml" in str(caught.value)
    assert [(fault.field, fault.line) for fault in caught.value.faults] == [("cu.toml", 3)]


def test_words_written_freely_have_a_greatest_length() -> None:
    assert free_text("  " + "à" * MOST_NOTE + " ") == "à" * MOST_NOTE
    with pytest.raises(BadInput) as caught:
        free_text("à" * (MOST_NOTE + 1), "note")
    assert [f.field for f in caught.value.faults] == ["note"]
    assert caught.value.text("vi") == "Nội dung này có 501 ký tự; chỉ lưu tối đa 500 ký tự."
