"""Rules name their documents; Vietnamese readers see them by their Vietnamese names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from khien import rulebook
from khien.vaccination import programmes


@pytest.mark.parametrize(
    ("title", "vietnamese"),
    [
        ("Decision 3588/QĐ-BYT (26/07/2021)", "Quyết định 3588/QĐ-BYT ngày 26/07/2021"),
        ("Official letter 10722/BYT-DP (17/12/2021)", "Công văn 10722/BYT-DP ngày 17/12/2021"),
        ("Circular 34/2018/TT-BYT", "Thông tư 34/2018/TT-BYT"),
        ("The maker's instructions for use", "Hướng dẫn sử dụng của nhà sản xuất"),
        ("Something nobody named", "Something nobody named"),
    ],
)
def test_spec(title: str, vietnamese: str) -> None:
    assert rulebook.document(title, "vi") == vietnamese
    assert rulebook.document(title, "en") == title


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("document"), str):
            yield value["document"]
        for part in value.values():
            yield from _named(part)
    elif isinstance(value, list):
        for part in value:
            yield from _named(part)


def test_every_document_of_vaccination_has_a_vietnamese_name() -> None:
    folder = files("khien.rulebook").joinpath("vaccination")
    shown = {t for f in folder.iterdir() for t in _named(tomllib.loads(f.read_text(encoding="utf-8")))}
    shown |= {d.title for name in programmes.shipped() for d in programmes.find(name).documents.values()}
    assert len(shown) > 20
    assert sorted(t for t in shown if rulebook.document(t, "vi") == t) == []


def test_every_series_and_group_has_a_vietnamese_name() -> None:
    known = tomllib.loads(files("khien.rulebook").joinpath("names.toml").read_text(encoding="utf-8"))["names"]
    found = [programmes.find(name) for name in programmes.shipped()]
    shown = {g.name for p in found for g in p.groups}
    for antigen in (a for p in found for a in p.antigens.values()):
        shown |= {antigen.name, *(s.name for s in antigen.series), *(s.type for s in antigen.series)}
        shown |= {dose.kind for s in antigen.series for dose in s.doses}
    assert sorted(shown - set(known)) == []
    assert rulebook.named("Two primary doses", "vi") == "Hai mũi cơ bản"
    assert rulebook.named("Two primary doses", "en") == "Two primary doses"
