"""How invitations leave the house. A sender is anything with `send(message)`; it raises OSError where it cannot.

KHIEN_SENDER names one: `file:FOLDER` (the default: one JSON line a message, for a printing office or another system),
`smtp://[user:password@]host[:port]?from=address`, or `module:function` of an installed package, which makes one.
"""

from __future__ import annotations

import json
import os
import smtplib
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from importlib import import_module
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from khien.core import config
from khien.core.errors import WrongUsage
from khien.core.i18n import N_


@dataclass(frozen=True, slots=True)
class Message:
    """One invitation. `email` is empty where it goes by letter to `address`."""

    name: str
    email: str
    address: str
    subject: str
    body: str


class Sender(Protocol):
    def send(self, message: Message) -> None: ...


class FileSender:
    """Appends to invitations.jsonl in a folder readable by us alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = folder / "invitations.jsonl"

    def send(self, message: Message) -> None:
        line = json.dumps(asdict(message), ensure_ascii=False) + "\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(line)


class SmtpSender:
    """By e-mail; letters go to `letters`, because a mail server cannot carry them."""

    def __init__(self, host: str, port: int, sender: str, letters: Sender, user: str = "", password: str = "") -> None:
        self._host, self._port, self._from, self._letters = host, port, sender, letters
        self._user, self._password = user, password

    def send(self, message: Message) -> None:
        if not message.email:
            self._letters.send(message)
            return
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._from, message.email, message.subject
        mail.set_content(message.body)
        with smtplib.SMTP(self._host, self._port, timeout=30) as server:
            if self._user:
                server.starttls()
                server.login(self._user, self._password)
            server.send_message(mail)


def sender(named: str | None = None) -> Sender:
    """The sender that `named`, else KHIEN_SENDER, asks for."""
    text = named or os.environ.get("KHIEN_SENDER") or f"file:{config.home() / 'invitations'}"
    parts = urlsplit(text)
    if parts.scheme == "file":
        return FileSender(Path(text.removeprefix("file:")))
    if parts.scheme == "smtp" and parts.hostname:
        [source] = parse_qs(parts.query).get("from", [f"khien@{parts.hostname}"])[:1]
        return SmtpSender(
            parts.hostname, parts.port or 25, source, FileSender(config.home() / "invitations"),
            unquote(parts.username or ""), unquote(parts.password or ""),
        )  # fmt: skip
    module, _colon, function = text.partition(":")
    try:
        made: Sender = getattr(import_module(module), function)()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise WrongUsage(N_("KHIEN_SENDER names no sender: {text}"), text=parts.scheme or text) from error
    return made
