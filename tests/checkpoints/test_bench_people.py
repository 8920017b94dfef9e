"""The register for measuring: what is declared by rule is what stands there."""

from __future__ import annotations

from itertools import islice

from khien.checkpoints import actions
from khien.checkpoints.bench import people
from khien.checkpoints.rules import declared
from khien.core.actor import machine
from khien.core.server.progress import quiet


def test_anybody_is_in_the_register_as_declared_and_a_register_that_is_there_is_used(fresh_database: str) -> None:
    people.make(2000, quiet)
    people.make(2000, quiet)
    asked = [
        declared.read({"number": number, "name": name, "birth_date": born, "sex": sex})
        for number, name, born, sex in islice(people.anybody(2000, seed=1), 200)
    ]
    answers = actions.check_identities(by=machine("movement-control", "identity.check"), declared=asked)
    assert {(a.verdict, a.name, a.birth_date) for a in answers} == {("match", "same", "same")}
    assert not any(note.endswith("differs") for a in answers for note in a.notes)
