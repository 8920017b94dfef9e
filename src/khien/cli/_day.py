"""Days and moments as options take them: told as people write them, not by the pattern that reads them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import click

from khien.cli import language
from khien.core.i18n import N_, translate


class Day(click.DateTime):
    """A day; the datetime of its beginning."""

    name = "day"
    pattern = "%Y-%m-%d"
    written = N_("YYYY-MM-DD")
    wrong = N_("{value!r} is not a day written as YYYY-MM-DD.")

    def __init__(self) -> None:
        super().__init__([self.pattern])

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return translate(self.written, language())

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(translate(self.wrong, language(), value=value), param, ctx)


class Moment(Day):
    """A moment with its time zone."""

    name = "moment"
    pattern = "%Y-%m-%dT%H:%M:%S%z"
    written = N_("YYYY-MM-DDThh:mm:ss+hh:mm")
    wrong = N_("{value!r} is not a moment with its time zone, such as 2021-09-15T08:30:00+07:00.")


class DayOrOpen(click.types.StringParamType):
    """A day or the word open, which the option's callback reads."""

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{translate(Day.written, language())}|open]"
