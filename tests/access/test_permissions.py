"""The first lock with the second one off: permissions; and what the catalogue says about the second."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import khien
from khien.access.roles import permissions, roles
from khien.core.actor import NATION, Actor, machine
from khien.core.errors import NotAllowed
from khien.core.session import Session, begin


def test_row_level_security_is_on_and_forced_everywhere(session: Session) -> None:
    open_ = session.rows(
        "SELECT c.relname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'person_id' AND NOT a.attisdropped"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
    )
    assert open_ == []


def test_no_materialized_view_holds_people(session: Session) -> None:
    assert session.rows(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'person_id'"
        " WHERE c.relkind = 'm'"
    ) == []  # fmt: skip


def test_the_app_neither_owns_tables_nor_passes_by_the_policies(session: Session) -> None:
    row = session.row("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'khien_app'")
    assert row == {"rolsuper": False, "rolbypassrls": False}
    assert session.value("SELECT count(*) FROM pg_class WHERE relowner = 'khien_app'::regrole") == 0


def test_a_lookup_under_the_policies_stays_an_index_lookup(session: Session) -> None:
    """A condition becomes an index condition only where its operator is leakproof; these are the ones pages live on."""
    session.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    lookups = {
        "person by id": "SELECT * FROM person WHERE person_id = 1",
        "person by number": "SELECT * FROM identifier WHERE value = '1' AND kind = 'personal_number'",
        "people by beginning of the name": "SELECT * FROM person WHERE name_key ~>=~ 'an' AND name_key ~<~ 'ao'",
        "doses of a person": "SELECT * FROM dose WHERE person_id = 1",
        "people of a commune": "SELECT * FROM person WHERE home_unit BETWEEN 5 AND 7",
    }
    with begin(Actor(41, "Anyone", "vaccination", frozenset({"*"}), "{[5,7]}")) as scoped:
        for what, question in lookups.items():
            plan = "\n".join(r["QUERY PLAN"] for r in scoped.rows(f"EXPLAIN {question}"))  # type: ignore[arg-type]
            head = plan[: plan.index("InitPlan")]
            assert "Index Cond" in head, f"{what}:\n{plan}"


class Untouched:
    """An argument that nobody may look at before the permission is checked."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"looked at an argument ({name}) before checking the permission")

    __iter__ = __bool__ = __eq__ = __len__ = __str__ = None  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def all_actions() -> dict[str, Callable[..., Any]]:
    """Every function that takes `by` in an actions room of any capability."""
    found = {}
    for capability in pkgutil.iter_modules(khien.__path__):
        folder = Path(khien.__path__[0]) / capability.name
        if not capability.ispkg or not ((folder / "actions.py").exists() or (folder / "actions").is_dir()):
            continue
        room = importlib.import_module(f"khien.{capability.name}.actions")
        inner = [
            importlib.import_module(f"{room.__name__}.{m.name}")
            for m in pkgutil.iter_modules(getattr(room, "__path__", []))
        ]
        for module in (room, *inner):
            for name, action in inspect.getmembers(module, inspect.isfunction):
                if action.__module__ == module.__name__ and not name.startswith("_"):
                    found[f"{module.__name__}.{name}"] = action
    return found


ACTIONS = all_actions()


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_takes_its_actor_by_name(name: str) -> None:
    parameters = inspect.signature(ACTIONS[name]).parameters
    assert "by" in parameters
    assert {p.kind for p in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("role", ["khien_app", "khien_loader"])
@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_refuses_without_the_permission_before_anything_else(database: str, name: str, role: str) -> None:
    """As khien_loader no policy holds: the permission alone is the lock."""
    stranger = Actor(41, "Stranger", "test", frozenset(), NATION)
    wanted = {
        p.name: Untouched()
        for p in inspect.signature(ACTIONS[name]).parameters.values()
        if p.default is p.empty and p.name != "by"
    }
    with begin(machine("test"), role=role), pytest.raises(NotAllowed):
        ACTIONS[name](by=stranger, **wanted)


def test_every_permission_that_code_asks_for_is_in_the_rulebook() -> None:
    asked = {
        found
        for path in Path(khien.__path__[0]).rglob("*.py")
        for call in re.findall(r"(?:must|permission_required)\(([^()]*)\)", path.read_text(encoding="utf-8"))
        for found in re.findall(r'"([a-z_-]+\.[a-z_]+)"', call)
    }
    assert asked - set(permissions()) == set()


def test_a_form_asks_for_what_the_page_needs_on_which_it_comes_back_and_roles_have_it() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khien.core.settings")
    django.setup()
    from khien.tracing import views as tracing
    from khien.vaccination.views import campaign

    forms = {
        tracing.change: (tracing.case, {"case.report"}),
        tracing.link: (tracing.case, {"trace.run"}),
        campaign.close: (campaign.session_board, {"desk.work", "stock.move"}),
    }
    for form, (page, own) in forms.items():
        asked = set(form.permissions)  # type: ignore[attr-defined]
        assert set(page.permissions) <= asked  # type: ignore[attr-defined]
        held = [set(role.permissions) for role in roles(dt.date.max).values() if own <= set(role.permissions)]
        assert held
        assert all(asked <= permissions for permissions in held)
