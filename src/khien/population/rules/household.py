"""A household has one head, and everybody's relation is to the head (Law on Residence 68/2020/QH14, art. 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from khien.core.errors import Refused
from khien.core.i18n import N_

Relation = Literal["head", "spouse", "child", "parent", "sibling", "grandparent", "grandchild", "other"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)

# What the old head is to the new one, by what the new head was to the old.
_OLD_HEAD: dict[Relation, Relation] = {
    "spouse": "spouse", "child": "parent", "parent": "child", "sibling": "sibling", "grandparent": "grandchild",
    "grandchild": "grandparent", "other": "other",
}  # fmt: skip
# What somebody else is to the new head, by (new head's, their) relation to the old one. What is not here may be several
# things (a grandchild is a new head's child or nephew): nobody guesses it.
_OTHERS: dict[tuple[Relation, Relation], Relation] = {
    ("spouse", "child"): "child", ("spouse", "grandchild"): "grandchild",
    ("child", "spouse"): "parent", ("child", "child"): "sibling", ("child", "parent"): "grandparent",
    ("parent", "parent"): "spouse", ("parent", "sibling"): "child", ("parent", "child"): "grandchild",
    ("sibling", "sibling"): "sibling", ("sibling", "parent"): "parent", ("sibling", "grandparent"): "grandparent",
    ("grandchild", "grandchild"): "other", ("grandparent", "parent"): "child",
}  # fmt: skip


def under_new_head(members: Mapping[int, Relation], head: int) -> dict[int, Relation]:
    """Everybody's relation once `head`, one of the members, is the head; "other" where the old relations do not tell.

    A proposal: whoever knows the family corrects it.
    """
    was = members[head]
    if was == "head":
        return dict(members)
    told: dict[int, Relation] = {head: "head"}
    for person, relation in members.items():
        if person != head:
            told[person] = _OLD_HEAD[was] if relation == "head" else _OTHERS.get((was, relation), "other")
    return told


def check_heads(relations: Iterable[Relation]) -> None:
    """Raise Refused unless exactly one of a household's members is its head. An empty household is nobody's."""
    held = list(relations)
    heads = held.count("head")
    if heads > 1:
        raise Refused(N_("A household has one head, not two."), rule="two_heads")
    if held and heads == 0:
        raise Refused(N_("Somebody of the household has to be its head. Choose the head first."), rule="no_head")
