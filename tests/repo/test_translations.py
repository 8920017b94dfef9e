"""Every visible text exists in Vietnamese (DESIGN §4.9), and no translation lost a parameter."""

from __future__ import annotations

import pytest

from khien.web import messages


def test_every_text_has_a_vietnamese_translation() -> None:
    assert [f"{text.where}: {text.message}" for text in messages.missing()] == []


def test_a_page_does_not_lean_on_the_command_line_s_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_typed(where: str) -> None:
        monkeypatch.setattr(messages, "texts", lambda: iter([messages.Text("Number of units", None, where)]))

    only_typed("khien/cli/units.py:1")
    assert messages.missing() == []
    only_typed("khien/zones/views.py:1")
    assert len(messages.missing()) == 1


def test_a_text_is_translated_in_one_way() -> None:
    """What means two things has a context in English."""
    assert messages.ambiguous() == []


def test_translations_keep_their_parameters() -> None:
    assert messages.mismatched() == []


@pytest.mark.parametrize("source", messages.catalogues(), ids=lambda path: path.parts[-5])
def test_a_catalogue_parses_and_says_it_is_utf8(source) -> None:  # type: ignore[no-untyped-def]
    assert "charset=UTF-8" in source.read_text(encoding="utf-8")
