"""Vietnamese names: parts, search key, alphabetical order, spelling in machine-readable zones.

A name is family name, middle names, given name; people are called and listed by the given name, the last word.
The alphabet is a ă â b c d đ e ê g h i k l m n o ô ơ p q r s t u ư v x y with f j w z at their Latin places; within a
word the letters decide first, then the tone: level, huyền, hỏi, ngã, sắc, nặng.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from khien.core.text import fold, nfc

# Tone marks in their order, as digits that sort below every letter and above the space.
_TONES = {"\u0300": "1", "\u0309": "2", "\u0303": "3", "\u0301": "4", "\u0323": "5"}
# Marks that make another letter sort above z after their base letter: so ă (a + breve) comes after every a + letter,
# and before b. đ is written d + { by the same trick.
_LETTERS = {"\u0306": "{", "\u0302": "|", "\u031b": "}"}
_MARKS = str.maketrans({**_TONES, **_LETTERS})
# A tone counts for its word, wherever in the word it is written (hòa and hoà are one word).
_TONE_TO_END = re.compile(f"([{''.join(_TONES)}])([^ ]*)")
_MRZ_LETTERS = str.maketrans({"Đ": "D", "Ø": "OE", "Æ": "AE", "Œ": "OE", "ß": "SS", "Þ": "TH", "Ð": "D", "Ł": "L"})


@dataclass(frozen=True, slots=True)
class NameParts:
    """A single word is a given name. `family` is one word: double family names cannot be told from middle names."""

    family: str = field(repr=False)
    middle: str = field(repr=False)
    given: str = field(repr=False)


def split(name: str) -> NameParts:
    """Family, middle and given name of a name in Vietnamese order."""
    words = nfc(name).split(" ")
    return NameParts(words[0] if len(words) > 1 else "", " ".join(words[1:-1]), words[-1])


def name_key(name: str) -> str:
    """Folded, the given name first: "Nguyễn Thị Ví Dụ" gives "du nguyen thi vi". Same as SQL khien_name_key.

    For search by prefix: people type the given name, with or without accents.
    """
    return given_first(fold(name))


def name_sort(name: str) -> str:
    """A key whose byte order is the Vietnamese order of names, given name first. Same as SQL khien_name_sort.

    Two spellings of one name (case, spaces, place of the tone mark) have one key.
    """
    bare = unicodedata.normalize("NFD", nfc(name)).lower().replace("đ", "d{")
    return given_first(_TONE_TO_END.sub(r"\2\1", bare).translate(_MARKS))


def mrz_name(name: str) -> str:
    """Upper case letters A to Z and spaces, as on the machine-readable zone; empty where nothing can be spelt so."""
    upper = unicodedata.normalize("NFD", nfc(name).upper()).translate(_MRZ_LETTERS)
    bare = "".join(c for c in upper if not unicodedata.combining(c) and c not in "'\u2019.")
    return " ".join(re.sub("[^A-Z]+", " ", bare).split())


def mrz_parts(name: str) -> tuple[str, str]:
    """Family and given names for line 3 of the zone; a single word stands as the family name (ICAO Doc 9303)."""
    words = mrz_name(name).split(" ")
    return words[0], " ".join(words[1:])


def given_first(name: str) -> str:
    """The last word moved to the front."""
    rest, _, given = name.rpartition(" ")
    return f"{given} {rest}" if rest else given
