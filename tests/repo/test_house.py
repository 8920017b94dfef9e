"""The repository holds its own rules: rooms, imports, sizes, clocks, no addresses of package hosts, queries used."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "khien"
DJANGO_ROOMS = {"views.py", "forms.py", "admin.py", "models.py", "urls.py", "api.py", "migration.py"}
DJANGO_PLACES = {"web", "access", "migrations", "templatetags", "views", "forms"}
CODE = {".py", ".sql", ".ts", ".scss", ".html", ".mjs"}


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def python_files() -> list[Path]:
    return [f for f in tracked() if f.suffix == ".py" and f.is_relative_to(SOURCE)]


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_django_stays_at_the_rim() -> None:
    strays = [
        str(path.relative_to(ROOT))
        for path in python_files()
        if path.name not in DJANGO_ROOMS
        and not DJANGO_PLACES & set(path.relative_to(SOURCE).parts)
        and path.relative_to(SOURCE) != Path("core/settings.py")
        and any(name.split(".")[0] in ("django", "allauth", "ninja") for name in imports_of(path))
    ]
    assert strays == []


def test_rules_import_nothing_but_rules_and_the_standard_library() -> None:
    allowed = re.compile(r"khien$|khien\.(core\.(errors|i18n|text)|rulebook|\w+\.rules)(\.|$)")
    strays = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files()
        if path.name == "rules.py" or "rules" in path.relative_to(SOURCE).parts[:-1]
        for name in imports_of(path)
        if (name.startswith("khien") and not allowed.match(name))
        or name.split(".")[0] in ("numpy", "duckdb", "psycopg")
    ]
    assert strays == []


def test_no_decision_reads_the_wall_clock() -> None:
    """The day comes from the session; only what measures or keeps time technically may look at the clock itself."""
    clock = re.compile(r"\b(datetime|date|dt\.date|dt\.datetime)\.(now|today|utcnow)\(|timezone\.now\(|localdate\(")
    technical = {"core/server", "core/bench.py", "web/build.py"}
    strays = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in python_files()
        if not any(str(path.relative_to(SOURCE)).startswith(place) for place in technical)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if clock.search(line)
    ]
    assert strays == []


def test_files_stay_short_enough_to_read_in_one_sitting() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix in CODE and (lines := path.read_text(encoding="utf-8").count("\n")) > 450
    }
    assert long == {}


def test_nothing_names_a_package_host_or_a_path_of_somebodys_machine() -> None:
    hosts = re.compile(
        "|".join(["py" + r"pi\.org", "pythonhost" + r"ed\.org", r"registry\.npm" + "js", r"deb\.deb" + r"ian\.org",
                  "/wo" + "rk/", "/ro" + "ot/"])
    )  # fmt: skip
    strays = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if found := hosts.search(text):
            strays.append(f"{path.relative_to(ROOT)}: {found.group(0)}")
    assert strays == []


@pytest.mark.parametrize("queries", sorted(SOURCE.glob("*/queries.sql")), ids=lambda p: p.parent.name)
def test_every_named_query_is_used(queries: Path) -> None:
    names = re.findall(r"^-- name: *(\w+)", queries.read_text(encoding="utf-8"), re.MULTILINE)
    used = "\n".join(p.read_text(encoding="utf-8") for p in queries.parent.rglob("*.py"))
    assert [name for name in names if not re.search(rf"\.{name}\b|[\"']{name}[\"']", used)] == []


def test_every_dependency_says_why_it_is_there() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project[project.index("dependencies = [") : project.index("[project.scripts]")]
    lines = [line.strip() for line in block.splitlines()]
    # hatchling and editables share one reason.
    bare = [
        line for before, line in zip(lines, lines[1:], strict=False)
        if line.startswith('"') and not before.startswith(("#", '"hatchling'))
    ]  # fmt: skip
    assert bare == []


def test_lock_files_carry_no_addresses_and_every_package_has_a_hash() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in lock
    pinned = re.findall(r"^[a-z0-9][\w.\-]*==", lock, re.MULTILINE | re.IGNORECASE)
    assert pinned
    assert lock.count("--hash=sha256:") >= len(pinned)
    assert not (ROOT / "uv.lock").exists()
    assert '"resolved"' not in (ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8")


def test_every_locked_direct_dependency_is_declared_once() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    dependencies = declared["dependencies"] + declared["optional-dependencies"]["dev"]
    names = [re.split(r"[\[<>=! ]", dependency)[0].lower() for dependency in dependencies]
    assert len(names) == len(set(names))


def test_readme_gives_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme
