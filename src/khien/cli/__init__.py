"""`khien NOUN VERB`: one file a noun, found by its name; errors become exit codes (DESIGN §6).

A noun's file `khien/cli/<noun>.py` holds a click command or group with the name of the noun.
"""

from __future__ import annotations

import gettext
import inspect
import json
import os
import pkgutil
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from khien import rulebook
from khien.core.errors import BadInput, KhienError, NothingTaken, Refused, Unavailable, system_reason
from khien.core.i18n import N_


def language() -> str:
    """The language of the terminal: KHIEN_LANGUAGE, else Vietnamese where the locale is, else English."""
    chosen = os.environ.get("KHIEN_LANGUAGE") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return "vi" if chosen.startswith("vi") else "en"


# Types whose names click puts into its messages and its help without asking gettext for them.
_NAMED = (click.types.IntParamType, click.IntRange, click.types.FloatParamType, click.FloatRange,
          click.types.StringParamType)  # fmt: skip
_LAID_OUT = "\b\n"  # click's mark of a paragraph that is not to be wrapped
_NAMES = {kind: kind.name for kind in _NAMED}


def _speak() -> None:
    """Let click's own words (usage, help, what is wrong with an argument) be in that language too: it asks gettext."""
    os.environ["LANGUAGE"] = language()
    gettext.bindtextdomain("django", str(Path(__file__).parent / "locale"))
    gettext.textdomain("django")
    for kind, name in _NAMES.items():
        kind.name = gettext.gettext(name)


_speak()  # before the commands are made: click asks for some of its words then


def paragraphs(text: str) -> list[str]:
    """The parts of a help text, as the catalogue holds them; one that is laid out by hand keeps its mark and lines."""
    parts = [part for part in inspect.cleandoc(text).split("\n\n") if part.strip()]
    return [part if part.startswith(_LAID_OUT) else " ".join(part.split()) for part in parts]


def _told(text: str) -> str:
    told = []
    for part in paragraphs(text):
        mark = _LAID_OUT if part.startswith(_LAID_OUT) else ""
        told.append(mark + gettext.gettext(part.removeprefix(mark)))
    return "\n\n".join(told)


_ENGLISH: dict[click.Command | click.Option, str | None] = {}  # what each of them said first


def tell_help(command: click.Command) -> click.Command:
    """The command, with its help and that of all below it in the terminal's language."""
    told: list[click.Command | click.Option] = [command, *(o for o in command.params if isinstance(o, click.Option))]
    for one in told:
        english = _ENGLISH.setdefault(one, one.help)
        one.help = english if language() == "en" or not english else _told(english)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        tell_help(below)
    return command


class _Nouns(click.Group):
    """Loads a noun's module only when it is called, so that `khien card parse` starts fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        module = name.replace("-", "_")
        command = getattr(import_module(f"khien.cli.{module}"), module)
        assert isinstance(command, click.Command)
        return tell_help(command)


@click.command(cls=_Nouns, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="khien")
def khien() -> None:
    """Khiên: vaccination and epidemic-zone management on a national population register."""


def report(error: KhienError, as_json: bool) -> None:
    """Say what went wrong: to standard error for people, as one JSON object for programs."""
    tongue = language()
    faults = error.faults if isinstance(error, BadInput) else ()
    document = rulebook.document(error.document, tongue) if isinstance(error, Refused) else ""
    if as_json:
        body: dict[str, Any] = {"error": error.code, "message": error.text(tongue)}
        if document:
            body["document"] = document
        if faults:
            body["faults"] = [{"line": f.line, "field": f.field, "message": f.text(tongue)} for f in faults]
        click.echo(json.dumps(body, ensure_ascii=False), err=True)
        return
    click.echo(f"{error.text(tongue)} ({document})" if document else error.text(tongue), err=True)
    for fault in faults[:10]:
        place = f"{fault.line}: {fault.field}" if fault.line is not None else fault.field
        click.echo(f"  {place}: {fault.text(tongue)}", err=True)
    if len(faults) > 10:
        click.echo(f"  (+{len(faults) - 10})", err=True)


def check_taken(rows: int, taken: int) -> None:
    """What every command that reads many rows ends with, after it told what became of them: its exit code.

    Raises NothingTaken where none of `rows` is in the database now, neither new nor there before.
    """
    if rows and not taken:
        raise NothingTaken(N_("None of the {rows} rows could be taken."), rows=rows)


def main(arguments: list[str] | None = None) -> None:
    """Entry point. Exit codes: 0 done, 1 our fault, 2 wrong usage, 3 bad input, 4 not allowed, 5 not found."""
    words = sys.argv[1:] if arguments is None else arguments
    _speak()
    tell_help(khien)
    try:
        khien.main(words, prog_name="khien", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as failure:
        failure.show()
        sys.exit(2)
    except KhienError as failure:
        report(failure, "--json" in words)
        sys.exit(failure.exit_code)
    except BrokenPipeError:
        # The reader (head, less) has seen enough; nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as failure:
        told = _unforeseen(failure)
        report(told, "--json" in words)
        sys.exit(told.exit_code)


def _unforeseen(failure: Exception) -> KhienError:
    """What no command foresaw, in a sentence. Never with values, which may name a person: only where it happened."""
    import psycopg

    # Django wraps what psycopg raised.
    cause = failure.__cause__ if isinstance(failure.__cause__, psycopg.Error) else failure
    if isinstance(cause, UnicodeError):
        return BadInput(N_("This text is not valid UTF-8."))
    if isinstance(cause, psycopg.DataError):
        return BadInput(N_("A number or a text is outside what the database can hold."))
    if isinstance(cause, psycopg.OperationalError):
        return Unavailable(N_("The database does not answer. Is it running? Try: khien db status"))
    if isinstance(cause, OSError) and cause.filename is not None:
        return Unavailable(N_("{file} cannot be used: {reason}."), file=cause.filename, reason=system_reason(cause))
    steps = traceback.extract_tb(failure.__traceback__)[-6:]
    where = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    return KhienError(N_("This is our fault: {kind} at {where}."), kind=type(failure).__name__, where=where)


def print_json(value: Any) -> None:
    """One JSON document on standard output; dates in ISO 8601."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))
