"""The door's RSGI application: two kinds of checks, sessions, its own description, and a sign of life."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from khien.checkpoints.door import messages, refusals, signing
from khien.checkpoints.door.coalescer import Coalescer
from khien.checkpoints.door.gate import Gate
from khien.checkpoints.door.openapi import document
from khien.checkpoints.door.refusals import Refusal
from khien.checkpoints.door.replay import ReplayWindow
from khien.core import config
from khien.core.errors import BadInput, KhienError
from khien.core.i18n import N_

_log = logging.getLogger("khien.door")
_HEADERS = [("content-type", "application/json"), ("cache-control", "no-store")]
_MOST_BYTES = {"/v1/checks": 4_096, "/v1/checks/batch": 1_000_000, "/v1/sessions": 1_024}
# A message that will be refused: short ones have arrived already, from this size on they are read first ...
_AT_ONCE_BYTES = 8_192
_DRAINED_BYTES = 16_000_000  # ... up to this size


@dataclass(frozen=True, slots=True)
class Settings:
    """From the environment of the door's process; `khien door` sets it."""

    lines: int = 2  # calls of the database at once, a worker
    waiting: int = 2_000  # checks in the queue before 503
    skew: int = 60  # seconds
    session_seconds: int = 3_600
    body_seconds: float = 10.0
    workers: int = 1
    folder: str = ""  # where the window of replays lies

    @classmethod
    def from_environment(cls) -> Settings:
        return cls(**json.loads(os.environ.get("KHIEN_DOOR", "{}")))


class Door:
    """One worker. Granian calls `__rsgi__` for every request."""

    def __init__(self) -> None:
        self._settings = Settings.from_environment()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self._open())

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._coalescer.close()

    async def _open(self) -> None:
        settings = self._settings
        self._loop = asyncio.get_running_loop()
        self._coalescer = Coalescer(lines=settings.lines, largest=messages.MOST_CHECKS, waiting=settings.waiting)
        folder = Path(settings.folder or config.home())
        folder.mkdir(parents=True, exist_ok=True)
        replays = ReplayWindow(folder / "door-replays", period=max(settings.skew, 1), shared=settings.workers > 1)
        self._gate = Gate(
            hashlib.sha256(config.secret_key().encode()).digest(), replays, self._coalescer.device_key,
            skew=settings.skew, session_seconds=settings.session_seconds,
        )  # fmt: skip

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        try:
            if scope.proto != "http":
                protocol.close(404)
                return
            protocol.response_bytes(200, _HEADERS, await self._respond(scope, protocol))
        except KhienError as failure:
            self._refuse(scope, protocol, failure)
        except Exception as failure:
            # The type alone: its text may quote what was asked.
            _log.error("%s while answering %s", type(failure).__name__, scope.path)
            self._refuse(scope, protocol, Refusal(500, "error", N_("The door failed. Try again.")))

    async def _respond(self, scope: Any, protocol: Any) -> bytes:
        path = scope.path
        if path in _MOST_BYTES:
            if scope.method != "POST":
                raise refusals.wrong_method()
            body = await self._body(scope, protocol, _MOST_BYTES[path])
            header = scope.headers.get("authorization")
            if path == "/v1/sessions":
                return await self._begin_session(header, body)
            device = self._gate.session_device(header, "POST", path, body)
            if device is None:
                device = await self._gate.signed_device(header, "POST", path, body)
            return await self._check(path, device, body)
        if scope.method not in ("GET", "HEAD"):
            raise refusals.wrong_method() if path in ("/healthz", "/v1/openapi.json") else refusals.not_found()
        if path == "/healthz":
            return b'{"status":"ok","queued":%d}' % self._coalescer.queued
        if path == "/v1/openapi.json":
            return document()
        raise refusals.not_found()

    async def _check(self, path: str, device: int, body: bytes) -> bytes:
        one = path == "/v1/checks"
        checks = messages.read_one(body) if one else messages.read_batch(body)
        rows = await self._coalescer.submit(device, checks)
        if rows[0][0] == b"device_refused":
            raise refusals.device_refused()
        return messages.answer_one(checks, rows) if one else messages.answer_batch(checks, rows)

    async def _begin_session(self, header: str | None, body: bytes) -> bytes:
        device = await self._gate.signed_device(header, "POST", "/v1/sessions", body, fresh=True)
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

    async def _body(self, scope: Any, protocol: Any, limit: int) -> bytes:
        """The whole body, at most `limit` bytes. Raises Refusal."""
        declared = scope.headers.get("content-length")
        if declared is None or not declared.isdigit():
            raise refusals.no_length()
        length, refusal = int(declared), None
        if length > limit:
            refusal = refusals.too_large(limit)
        elif self._coalescer.full:
            refusal = refusals.busy()
        if refusal and not _AT_ONCE_BYTES < length < _DRAINED_BYTES:
            raise refusal
        task = asyncio.current_task()
        assert task is not None
        # A third of what asyncio.timeout() costs; nobody else cancels a request that is still being read.
        alarm = self._loop.call_later(self._settings.body_seconds, task.cancel)
        try:
            if refusal is None:
                body: bytes = await protocol()
                return body
            async for _ in protocol:  # who is still sending does not hear an answer before the end
                pass
            raise refusal
        except asyncio.CancelledError:
            raise refusals.too_slow() from None
        finally:
            alarm.cancel()

    def _refuse(self, scope: Any, protocol: Any, failure: KhienError) -> None:
        language = "vi" if (scope.headers.get("accept-language") or "").startswith("vi") else "en"
        headers = list(_HEADERS)
        status = failure.status if isinstance(failure, Refusal) else failure.http_status
        if isinstance(failure, Refusal) and failure.retry_after is not None:
            headers.append(("retry-after", str(failure.retry_after)))
        if status in (408, 411, 413):
            headers.append(("connection", "close"))  # the rest of the body is not read
        protocol.response_bytes(status, headers, messages.fault_body(failure, language))


def make() -> Door:
    """For Granian's factory."""
    return Door()
