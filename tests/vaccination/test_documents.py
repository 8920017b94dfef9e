"""Rules name their documents; Vietnamese readers see them by their Vietnamese names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from khien import rulebook
from khien.access import setup
from khien.vaccination import programmes
from khien.vaccination.forms.vaccines import vaccine_choices


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


_BRANDS = {"Vaxzevria (AstraZeneca)", "Sputnik V", "Vero Cell (Sinopharm)", "Comirnaty (Pfizer)", "Spikevax (Moderna)",
           "Janssen", "Hayat-Vax", "Abdala", "Covaxin", "bOPV", "IPV"}  # fmt: skip


def test_a_vaccine_is_called_by_its_brand_or_in_both_languages() -> None:
    known = tomllib.loads(files("khien.rulebook").joinpath("names.toml").read_text(encoding="utf-8"))["names"]
    assert {vaccine["name"] for vaccine in rulebook.vaccines()} - set(known) == _BRANDS


def test_pages_and_forms_call_it_so() -> None:
    pages = Path(str(files("khien"))).glob("*/templates/**/*.html")
    assert [str(page) for page in pages if re.search(r"product_name(?!\|named)", page.read_text("utf-8"))] == []
    setup.ready("vi")
    products = [{"product": "mvvac", "name": "Measles (MVVAC)"}, {"product": "janssen", "name": "Janssen"}]
    with translation.override("vi"):
        assert vaccine_choices(products) == [("mvvac", "Sởi (MVVAC)"), ("janssen", "Janssen")]
    with translation.override("en"):
        assert vaccine_choices(products)[0] == ("mvvac", "Measles (MVVAC)")
