"""From what is known about somebody at the barrier to one of three answers, with its reasons."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from khien import rulebook
from khien.checkpoints.rules.verdict import TEXTS, Answer, Verdict, note_text
from khien.core.i18n import N_, translate

_TEXTS = {
    "pass_unknown": N_("The pass is signed, but its declaration is not kept here."),
    "pass_forged": N_("The pass is forged: no key of ours signed it."),
    "no_pass": N_("No declaration for this journey."),
    "no_doses": N_("No dose, or too short ago."),
    "offline": N_("Checked without network."),
}
WORDS = {"go": N_("May pass"), "look": N_("Look closer"), "stop": N_("Stop")}


@dataclass(frozen=True, slots=True)
class Passing:
    """`tone` is go, look or stop; `reasons` are the codes that decided it, `codes` all that is known."""

    tone: str
    reasons: tuple[str, ...]
    codes: tuple[str, ...]
    document: str


def codes_of(answer: Answer, pass_state: str | None) -> tuple[str, ...]:
    """Everything known as codes. `pass_state` is that of a pass that was scanned; None: no pass was scanned, and what
    the check found among the declarations counts."""
    found = [answer.verdict.value, *answer.notes]
    if pass_state is not None:
        found = [code for code in found if not code.startswith("pass_")] + [f"pass_{pass_state}"]
    if not any(code.startswith("pass_") for code in found):
        found.append("no_pass")
    if answer.verdict is Verdict.MATCH and not any(code.startswith("doses_") for code in found):
        found.append("no_doses")
    return tuple(found)


def decide(codes: Iterable[str], today: dt.date) -> Passing:
    """By the rule in force; before the first one the first one."""
    entries = rulebook.load("checkpoints", "passing")["passing"]
    rule = (rulebook.in_force(entries, today) or entries[:1])[-1]
    known = tuple(codes)
    for tone in ("stop", "look"):
        reasons = tuple(code for code in known if code in rule[tone])
        if reasons:
            return Passing(tone, reasons, known, rule["document"])
    return Passing("go", (), known, rule["document"])


def text_of(code: str, language: str) -> str:
    """A code in words."""
    if code in _TEXTS:
        return translate(_TEXTS[code], language)
    if code in set(Verdict):
        return translate(TEXTS[Verdict(code)], language)
    return note_text(code, language)
