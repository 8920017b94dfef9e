"""One error tree. A user's mistake is one of these and never shows a traceback.

Each class fixes the exit code of the command line (DESIGN §6) and the HTTP status of pages and API.
The message is an English template, marked with `N_` so that it is translated where it is shown;
its parameters never hold an identifier of a person.
"""

from __future__ import annotations

import dataclasses
import errno
from dataclasses import dataclass
from typing import Any, ClassVar

from khien.core.i18n import N_, Message, translate


class KhienError(Exception):
    """Base of all. `message` is a template for `str.format`, `params` fill it."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500
    code: str = "error"

    def __init__(self, message: Message, *, code: str | None = None, **params: Any) -> None:
        self.message = message
        self.params = params
        if code is not None:
            self.code = code
        super().__init__(message)

    def text(self, language: str = "en") -> str:
        """The message in `language` ("vi" or "en"), parameters filled in."""
        return translate(self.message, language, **self.params)

    def __str__(self) -> str:
        return self.text("en")


_OF_THE_SYSTEM = {
    errno.ENOENT: {"en": "there is no such file or folder", "vi": "không có tệp hoặc thư mục này"},
    errno.EACCES: {"en": "no permission", "vi": "không có quyền truy cập"},
    errno.EPERM: {"en": "no permission", "vi": "không có quyền truy cập"},
    errno.EISDIR: {"en": "it is a folder", "vi": "đây là thư mục"},
    errno.ENOTDIR: {"en": "it is not a folder", "vi": "đây không phải thư mục"},
    errno.EEXIST: {"en": "it is there already", "vi": "đã tồn tại"},
    errno.ENOSPC: {"en": "the disk is full", "vi": "đĩa đã đầy"},
    errno.EROFS: {"en": "the disk is read-only", "vi": "đĩa chỉ đọc"},
    errno.EIO: {"en": "the disk does not work", "vi": "lỗi thiết bị lưu trữ"},
}
_OTHER = {"en": "the system refuses ({number})", "vi": "hệ thống từ chối ({number})"}


def system_reason(failure: OSError) -> Message:
    """What the operating system said, in both languages: a parameter of a message, translated with it."""
    number = failure.errno or 0
    told = _OF_THE_SYSTEM.get(number)
    return told or {tongue: text.format(number=number) for tongue, text in _OTHER.items()}


class WrongUsage(KhienError):
    exit_code = 2
    http_status = 400
    code = "wrong_usage"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field of one input line. `line` is 1-based; None where there is only one record."""

    field: str
    message: Message
    line: int | None = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        return translate(self.message, language, **self.params)


class BadInput(KhienError):
    """Input that breaks its documented form; nothing was written. `faults` names what, where."""

    exit_code = 3
    http_status = 422
    code = "bad_input"

    def __init__(
        self, message: Message, *, faults: tuple[Fault, ...] = (), code: str | None = None, **params: Any
    ) -> None:
        super().__init__(message, code=code, **params)
        self.faults = faults


class NothingTaken(BadInput):
    """A file that has rows, none of which could be taken. Where some were, the rest is in the rejects: exit code 0."""

    code = "nothing_taken"


class Refused(BadInput):
    """Well-formed, but a rule forbids it. `rule` and `document` name the rule and its legal source."""

    code = "refused"

    def __init__(self, message: Message, *, rule: str, document: str = "", **params: Any) -> None:
        super().__init__(message, code=rule, **params)
        self.rule = rule
        self.document = document


class NotAllowed(KhienError):
    """The actor lacks the permission. On pages it looks exactly like `NotFound` (DESIGN §4.5)."""

    exit_code = 4
    http_status = 404
    code = "not_found"

    def __init__(self, permission: str) -> None:
        super().__init__(N_("You are not allowed to do this ({permission})."), permission=permission)


class NotFound(KhienError):
    """Absent, or outside the actor's scope: the two look the same (DESIGN §4.5)."""

    exit_code = 5
    http_status = 404
    code = "not_found"

    def __init__(self, message: Message | None = None, **params: Any) -> None:
        super().__init__(message or N_("Not found."), **params)


class Ambiguous(NotFound):
    """A name that several have; nobody guesses which of them is meant."""

    exit_code = 3
    http_status = 422
    code = "ambiguous"


class Unavailable(KhienError):
    """The database or another part cannot answer now; trying again may help."""

    exit_code = 1
    http_status = 503
    code = "unavailable"
