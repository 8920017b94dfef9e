"""Every write to the register but the bulk load. Each is one transaction with its log row; a replay changes nothing."""

from khien.population.actions.households import change_head, join_household, split_household
from khien.population.actions.register import (
    CardKind,
    IdentifierKind,
    Registered,
    Sex,
    add_identifier,
    cancel_card,
    change_identifier,
    correct_person,
    end_residence,
    issue_card,
    merge_persons,
    move,
    record_death,
    register_person,
    unmerge,
)
from khien.population.actions.undoing import undo_household, undo_residence

__all__ = [
    "CardKind", "IdentifierKind", "Registered", "Sex", "add_identifier", "cancel_card", "change_head",
    "change_identifier", "correct_person", "end_residence", "issue_card", "join_household", "merge_persons", "move",
    "record_death", "register_person", "split_household", "undo_household", "undo_residence", "unmerge",
]  # fmt: skip
