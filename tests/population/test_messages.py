"""Every message of the rules of people has its Vietnamese."""

import ast
from pathlib import Path

from babel.messages.pofile import read_po

import khien

PACKAGE = Path(khien.__file__).parent


def marked(path: Path) -> set[str]:
    calls = (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call))
    return {ast.literal_eval(c.args[0]) for c in calls if getattr(c.func, "id", "") == "N_"}


def test_every_message_of_the_rules_is_translated() -> None:
    sources = [*(PACKAGE / "population/rules").glob("*.py"), PACKAGE / "cli/card.py"]
    with (PACKAGE / "population/locale/vi/LC_MESSAGES/django.po").open("rb") as stream:
        translated = {m.id for m in read_po(stream, locale="vi") if m.string}
    assert set().union(*map(marked, sources)) - translated == set()
