"""What the door answers: two kinds of checks, sessions, its own description, and a sign of life."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from khien.checkpoints.door import messages, refusals, signing
from khien.checkpoints.door.coalescer import Coalescer
from khien.checkpoints.door.gate import Gate
from khien.checkpoints.door.openapi import document
from khien.checkpoints.door.refusals import Refusal
from khien.checkpoints.door.replay import ReplayWindow
from khien.checkpoints.door.wire import Connection, Request
from khien.checkpoints.rules.declared import Declared
from khien.core import config
from khien.core.errors import BadInput, KhienError
from khien.core.i18n import N_

_log = logging.getLogger("khien.door")
_ONE, _BATCH, _SESSIONS = "/v1/checks", "/v1/checks/batch", "/v1/sessions"
_MOST_BYTES = {_ONE: 4_096, _BATCH: 1_000_000, _SESSIONS: 1_024}
_READ = ("/healthz", "/v1/openapi.json")


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one worker."""

    lines: int = 2  # calls of the database at once
    slow_lines: int = 8  # the same while they wait for the disk
    waiting: int = 4_000  # checks in the queue before 503
    skew: int = 60  # seconds
    session_seconds: int = 3_600
    body_seconds: float = 10.0
    workers: int = 1
    folder: str = ""  # where the window of replays lies


class Check:
    """Checks of one request on their way through the coalescer."""

    __slots__ = ("_connection", "_one", "checks", "device")

    def __init__(self, connection: Connection, device: int, checks: list[Declared], one: bool) -> None:
        self._connection, self.device, self.checks, self._one = connection, device, checks, one

    def answered(self, lines: list[bytes]) -> None:
        if lines[0].startswith(b"device_refused"):
            self._connection.refuse(refusals.device_refused())
        elif self._one:
            self._connection.answer(200, messages.answer(self.checks[0], lines[0]))
        else:
            self._connection.answer(200, messages.answer_batch(self.checks, lines))

    def refused(self, failure: KhienError) -> None:
        self._connection.refuse(failure)


class Door:
    """One worker's; lives on the running loop."""

    def __init__(self, settings: Settings) -> None:
        self._coalescer = Coalescer(
            lines=settings.lines, slow_lines=settings.slow_lines, largest=messages.MOST_CHECKS, waiting=settings.waiting
        )
        folder = Path(settings.folder or config.home())
        folder.mkdir(parents=True, exist_ok=True)
        replays = ReplayWindow(folder / "door-replays", period=max(settings.skew, 1), shared=settings.workers > 1)
        self._gate = Gate(
            hashlib.sha256(config.secret_key().encode()).digest(), replays, self._coalescer.device_key,
            skew=settings.skew, session_seconds=settings.session_seconds,
        )  # fmt: skip
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer of the database."""
        return bool(self._coalescer.queued or self._coalescer.under_way or self._tasks)

    def close(self) -> None:
        self._coalescer.close()

    def refusal(self, method: str, path: str, length: int | None) -> KhienError | None:
        """Why a message is not taken, told by its head alone."""
        most = _MOST_BYTES.get(path)
        if most is None:
            if path not in _READ:
                return refusals.not_found()
            if method not in ("GET", "HEAD"):
                return refusals.wrong_method()
            return refusals.too_large(1_024) if (length or 0) > 1_024 else None
        if method != "POST":
            return refusals.wrong_method()
        if length is None:
            return refusals.no_length()
        if length > most:
            return refusals.too_large(most)
        return refusals.busy() if self._coalescer.full else None

    def serve(self, connection: Connection, request: Request) -> None:
        """Answer a message that arrived whole; what needs no waiting is done at once."""
        path = request.path
        try:
            if path in (_ONE, _BATCH):
                device = self._gate.session_device(request.authorization, "POST", path, request.body)
                if device is not None:
                    self._check(connection, device, request)
                    return
            elif path == "/healthz":
                connection.answer(200, b'{"status":"ok","queued":%d}' % self._coalescer.queued)
                return
            elif path == "/v1/openapi.json":
                connection.answer(200, document())
                return
            task = asyncio.get_running_loop().create_task(self._signed(connection, request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        except KhienError as failure:
            connection.refuse(failure)
        except Exception as failure:
            self._failed(connection, request, failure)

    def _check(self, connection: Connection, device: int, request: Request) -> None:
        one = request.path == _ONE
        checks = messages.read_one(request.body) if one else messages.read_batch(request.body)
        self._coalescer.submit(Check(connection, device, checks, one))

    async def _signed(self, connection: Connection, request: Request) -> None:
        """What the device signed with its own key: this may have to be asked of the database."""
        body, session = request.body, request.path == _SESSIONS
        try:
            device = await self._gate.signed_device(request.authorization, "POST", request.path, body, fresh=session)
            if session:
                connection.answer(200, self._begin_session(device, body))
            else:
                self._check(connection, device, request)
        except KhienError as failure:
            connection.refuse(failure)
        except Exception as failure:
            self._failed(connection, request, failure)

    def _begin_session(self, device: int, body: bytes) -> bytes:
        message = messages.parse(body)
        try:
            if message.keys() != {"key"}:
                raise ValueError
            ephemeral = signing.decode(message["key"])
            if len(ephemeral) != 32:
                raise ValueError
        except (ValueError, TypeError, AttributeError):
            raise BadInput(N_("A session needs the device's ephemeral X25519 key: 32 bytes in base64url.")) from None
        token, until = self._gate.begin_session(device, ephemeral)
        return json.dumps(
            {
                "session": token,
                "key": signing.encode(self._gate.public),
                "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)),
            }
        ).encode()

    def _failed(self, connection: Connection, request: Request, failure: Exception) -> None:
        # The type alone: its text may quote what was asked.
        _log.error("%s while answering %s", type(failure).__name__, request.path)
        connection.refuse(Refusal(500, "error", N_("The door failed. Try again.")))
