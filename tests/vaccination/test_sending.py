"""Invitations leave the house: as lines of a file, and by a mail server that answers as mail servers do."""

from __future__ import annotations

import email
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest

from khien.core.errors import WrongUsage
from khien.core.session import Session
from khien.vaccination import actions, sending
from tests.vaccination.test_campaign import open_campaign, open_session, province

__all__ = ["province"]


class MailServer(socketserver.ThreadingTCPServer):
    """What RFC 5321 asks of a receiver, and no more. `refused`: an address it does not know."""

    allow_reuse_address = True
    refused = "nobody@example.vn"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.got: list[EmailMessage] = []


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "DATA":
                self._say("354 go on")
                self._take()
            elif word == "RCPT" and self.server.refused in line:
                self._say("550 no such user")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(message, EmailMessage)
        self.server.got.append(message)
        self._say("250 taken")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def message(address: str = "") -> sending.Message:
    return sending.Message("Nguyễn Thị Ví Dụ", address, "Số 10, Xã Bắc", "Giấy mời tiêm ngày 15/09/2021", "Kính mời …")


def test_a_letter_is_a_line_of_a_file_that_only_we_can_read(tmp_path: Path) -> None:
    through = sending.sender(f"file:{tmp_path / 'letters'}")
    through.send(message())
    through.send(message())
    file = tmp_path / "letters" / "invitations.jsonl"
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [line["name"] for line in lines] == ["Nguyễn Thị Ví Dụ"] * 2
    assert file.stat().st_mode & 0o077 == 0


def test_an_invitation_by_mail_keeps_its_accents(
    mail: MailServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))
    through = sending.sender(f"smtp://127.0.0.1:{mail.server_address[1]}?from=tram@example.vn")
    through.send(message("vidu@example.vn"))
    through.send(message())  # without an address: a letter
    [got] = mail.got
    assert (got["To"], got["From"], got["Subject"]) == (
        "vidu@example.vn", "tram@example.vn", "Giấy mời tiêm ngày 15/09/2021"
    )  # fmt: skip
    assert got.get_content().strip() == "Kính mời …"
    assert len((tmp_path / "invitations" / "invitations.jsonl").read_text().splitlines()) == 1


def test_who_cannot_be_reached_is_invited_again_the_others_are_not(
    province: Session, mail: MailServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KHIEN_HOME", str(tmp_path))
    session_id = open_session(province, open_campaign(province))
    actions.call_people(by=province.actor, session_id=session_id)
    actions.note_contact(by=province.actor, person_id=7, email="vidu@example.vn")
    actions.note_contact(by=province.actor, person_id=6, email=mail.refused)
    through = sending.sender(f"smtp://127.0.0.1:{mail.server_address[1]}")

    def send() -> dict[str, int]:
        return actions.send_invitations(by=province.actor, session_id=session_id, through=through)

    assert send() == {"sent": 5, "failed": 1}
    assert send() == {"sent": 0, "failed": 1}
    actions.note_contact(by=province.actor, person_id=6, email="")  # then by letter
    assert send() == {"sent": 1, "failed": 0}
    assert [m["To"] for m in mail.got] == ["vidu@example.vn"]


def test_no_mail_server_is_a_failure_not_a_loss(province: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    session_id = open_session(province, open_campaign(province))
    actions.call_people(by=province.actor, session_id=session_id)
    for person_id in range(1, 8):
        actions.note_contact(by=province.actor, person_id=person_id, email="vidu@example.vn")
    done = actions.send_invitations(
        by=province.actor, session_id=session_id, through=sending.sender(f"smtp://127.0.0.1:{port}")
    )
    assert done == {"sent": 0, "failed": 6}


@pytest.mark.parametrize("named", ["carrier-pigeon", "khien.nothing:send", "khien.vaccination.sending:Nobody"])
def test_an_unknown_sender_is_named(named: str) -> None:
    with pytest.raises(WrongUsage):
        sending.sender(named)
