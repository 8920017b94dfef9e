"""How alike two names are, in classes that a clerk can check, with the words that differ.

same        one name: only case, spaces or the place of the tone mark differ
unaccented  equal without accents, and the accents are missing on one side, or differ in several words
one_apart   one letter, or the accents of one word, differ
order       the same words in another order
different   anything else
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest

from khien.core.i18n import N_, translate
from khien.core.text import fold, nfc
from khien.population.rules.names import name_sort


class Likeness(StrEnum):
    SAME = "same"
    UNACCENTED = "unaccented"
    ONE_APART = "one_apart"
    ORDER = "order"
    DIFFERENT = "different"


_MESSAGES = {
    Likeness.SAME: N_("The names are the same."),
    Likeness.UNACCENTED: N_("The names are the same without accents."),
    Likeness.ONE_APART: N_("The names differ by one letter or by the accents of one word."),
    Likeness.ORDER: N_("The names have the same words in another order."),
    Likeness.DIFFERENT: N_("The names are different."),
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """`words` are the pairs of words that differ, left and right ("" where one side has no such word)."""

    likeness: Likeness
    words: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def text(self, language: str = "en") -> str:
        """The class in words; the names themselves are not repeated."""
        return translate(_MESSAGES[self.likeness], language)


def compare(left: str, right: str) -> Comparison:
    """Compare two names in any writing."""
    if name_sort(left) == name_sort(right):
        return Comparison(Likeness.SAME)
    words = tuple(_differing(nfc(left).split(" "), nfc(right).split(" ")))
    folded_left, folded_right = fold(left), fold(right)
    if folded_left == folded_right:
        contradicts = len(words) == 1 and not _is_bare(left) and not _is_bare(right)
        return Comparison(Likeness.ONE_APART if contradicts else Likeness.UNACCENTED, words)
    if one_edit_apart(folded_left, folded_right):
        return Comparison(Likeness.ONE_APART, words)
    if sorted(folded_left.split(" ")) == sorted(folded_right.split(" ")):
        return Comparison(Likeness.ORDER, words)
    return Comparison(Likeness.DIFFERENT, words)


def one_edit_apart(left: str, right: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours makes `left` into `right`."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    a, b = left[start:], right[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def _differing(left: Iterable[str], right: Iterable[str]) -> Iterable[tuple[str, str]]:
    pairs = zip_longest(left, right, fillvalue="")
    return ((a, b) for a, b in pairs if name_sort(a) != name_sort(b))


def _is_bare(name: str) -> bool:
    return fold(name) == nfc(name).lower()
