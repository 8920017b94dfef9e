"""HTTP/1.1 for the door: one object a connection, driven by the event loop, parsed by llhttp (through httptools).

Measured on two cores: 6 µs of processor time a request beside 32 to 43 µs under Granian, which hands every request
from its own threads to Python's and back. What it keeps in memory is bounded: heads, bodies, connections, answers that
nobody fetches; who is slow is given up.
"""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections import deque
from http import HTTPStatus
from typing import Protocol, cast

import httptools

from khien.checkpoints.door import messages, refusals
from khien.core.errors import KhienError

MOST_HEAD = 16_384  # bytes of a request line with its headers
_DRAINED = 16_000_000  # who is still sending does not hear an answer: bodies up to this size are read and thrown away
_HEAD_SECONDS = 15.0  # also for the first byte
_IDLE_SECONDS = 75.0
_LINGER_SECONDS = 2.0  # after our last word, so that it arrives before the connection is cut
_NEVER = float("inf")
_LINES = {s.value: b"HTTP/1.1 %d %s\r\n" % (s.value, s.phrase.encode()) for s in HTTPStatus}
_PLAIN = b"content-type: application/json\r\ncache-control: no-store\r\n"


class Request:
    """What the door needs of a message whose end has arrived."""

    __slots__ = ("authorization", "body", "keep", "language", "method", "path", "refusal")

    def __init__(self) -> None:
        self.method = self.path = self.language = ""
        self.authorization: str | None = None
        self.body = b""
        self.keep = False
        self.refusal: KhienError | None = None


class Desk(Protocol):
    """Who answers."""

    def refusal(self, method: str, path: str, length: int | None) -> KhienError | None:
        """Why a message is not taken, told by its head alone."""

    def serve(self, connection: Connection, request: Request) -> None:
        """Answer now or later, by `connection.answer` or `connection.refuse`, once. Never raises."""


class Hall:
    """All connections of a worker. `bytes_held` of bodies at most, over all of them."""

    def __init__(self, desk: Desk, *, body_seconds: float, connections: int, bytes_held: int = 64_000_000) -> None:
        self.desk, self.body_seconds = desk, body_seconds
        self.connections: set[Connection] = set()
        self._most, self._most_held = connections, bytes_held
        self.held = 0
        self.now, self.stamp = 0.0, b""
        self.tick()

    def connection(self) -> Connection:
        """For the loop's server."""
        return Connection(self)

    @property
    def crowded(self) -> bool:
        return len(self.connections) >= self._most

    def room_for(self, length: int) -> bool:
        return self.held + length <= self._most_held

    def tick(self) -> None:
        """Several times a second: give up who is late."""
        self.now = time.monotonic()
        self.stamp = b"date: %s\r\n" % email.utils.formatdate(usegmt=True).encode()
        for late in [c for c in self.connections if c.due < self.now]:
            late.give_up()

    def close(self) -> None:
        """Nothing more is read; who waits for an answer gets it."""
        for connection in list(self.connections):
            connection.leave()


class Connection(asyncio.Protocol):
    """Answers in the order of the questions, one at a time."""

    __slots__ = (
        "_arriving", "_busy", "_closing", "_current", "_hall", "_head_bytes", "_held", "_in_head", "_length", "_parser",
        "_parts", "_pending", "_serving", "_stalled", "_transport", "due",
    )  # fmt: skip

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._transport: asyncio.Transport | None = None
        self._parser: httptools.HttpRequestParser | None = None  # made with the first byte: idle ones stay small
        self._arriving: Request | None = None  # not yet whole
        self._current: Request | None = None  # being answered
        self._pending: deque[Request] | None = None  # whole, not yet answered
        self._parts: list[bytes] = []
        self._busy = self._serving = self._closing = self._stalled = False
        self._in_head = True
        self._head_bytes = self._held = 0
        self._length: int | None = None
        self.due = hall.now + _HEAD_SECONDS  # when patience ends

    # From the loop ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._hall.crowded:
            self.refuse(refusals.busy(), close=True)
        self._hall.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hall.connections.discard(self)
        self._hall.held -= self._held
        self._held = 0
        self._transport = self._parser = self._pending = None
        self._closing = True

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return  # read, so that the peer hears our last word, and thrown away
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # the message before it is answered, then we part
        except (httptools.HttpParserError, ValueError):
            self._break(refusals.not_http())
        if self._in_head and self._arriving is not None and not self._closing:
            self._head_bytes += len(data)
            if self._head_bytes > 2 * MOST_HEAD:  # a line that never ends; others are counted one by one
                self._break(refusals.head_too_large(MOST_HEAD))

    def eof_received(self) -> bool:
        """Who has said everything may still listen."""
        if self._current is None:
            return False
        self._current.keep = False
        return True

    def pause_writing(self) -> None:
        self._stalled = True

    def resume_writing(self) -> None:
        self._stalled = False
        self._next()

    # From the parser --------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._arriving = Request()
        self._parts, self._length, self._in_head, self._head_bytes = [], None, True, 0
        if not self._busy:
            self.due = self._hall.now + _HEAD_SECONDS

    def on_url(self, url: bytes) -> None:
        if self._arriving is None:
            return
        self._head_bytes += len(url)
        self._arriving.path += url.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._arriving is None:
            return
        self._head_bytes += len(name) + len(value)
        name = name.lower()
        if name == b"authorization":
            self._arriving.authorization = value.decode("latin-1")
        elif name == b"content-length":
            self._length = int(value)
        elif name == b"accept-language":
            self._arriving.language = value.decode("latin-1")
        elif name == b"transfer-encoding":
            self._arriving.refusal = refusals.no_length()
        elif name == b"expect" and self._transport is not None and not self._busy:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_headers_complete(self) -> None:
        arriving, length, parser = self._arriving, self._length, self._parser
        if self._closing or arriving is None or parser is None:
            return
        arriving.method = parser.get_method().decode("latin-1")
        arriving.keep = parser.should_keep_alive() and not parser.should_upgrade()
        self._in_head = False
        if self._head_bytes > MOST_HEAD:
            self._break(refusals.head_too_large(MOST_HEAD))
            return
        if arriving.refusal is None:
            arriving.refusal = self._hall.desk.refusal(arriving.method, arriving.path, length)
        elif length is None:  # chunks without end
            self._break(arriving.refusal)
            return
        if length:
            if length > _DRAINED and arriving.refusal is not None:
                self._break(arriving.refusal)
                return
            if not self._hall.room_for(length):
                arriving.refusal = arriving.refusal or refusals.busy()
            if arriving.refusal is None:
                self._hall.held += length
                self._held += length
        if not self._busy:
            self.due = self._hall.now + self._hall.body_seconds

    def on_body(self, part: bytes) -> None:
        if not self._closing and self._arriving is not None and self._arriving.refusal is None:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        arriving, parts = self._arriving, self._parts
        if self._closing or arriving is None:
            return
        arriving.body = parts[0] if len(parts) == 1 else b"".join(parts)
        self._arriving, self._parts, self._in_head = None, [], True
        if not self._busy and not self._stalled:
            self._serve(arriving)
            return
        if self._pending is None:
            self._pending = deque()
        if not self._pending and self._transport is not None:
            self._transport.pause_reading()
        self._pending.append(arriving)

    # To the peer ------------------------------------------------------------------------------------------------------

    def answer(self, status: int, body: bytes, headers: bytes = b"", *, close: bool = False) -> None:
        """Once a request. Nothing happens where the peer has gone."""
        current, self._current, self._busy = self._current, None, False
        if current is not None and self._held:
            freed = min(self._held, len(current.body))
            self._hall.held -= freed
            self._held -= freed
        if self._transport is None or self._closing:
            return
        shown = b"" if current is not None and current.method == "HEAD" else body
        keep = current is not None and current.keep and not close
        if not keep:
            headers += b"connection: close\r\n"
        self._transport.write(
            b"%s%s%s%scontent-length: %d\r\n\r\n%s"
            % (_LINES[status], self._hall.stamp, _PLAIN, headers, len(body), shown)
        )
        if not keep:
            self._part()
            return
        self.due = self._hall.now + (_IDLE_SECONDS if self._arriving is None else self._hall.body_seconds)
        if not self._serving:
            self._next()

    def refuse(self, failure: KhienError, *, close: bool = False) -> None:
        """Answer with why not, in the language of the request."""
        vietnamese = self._current is not None and self._current.language.startswith("vi")
        status = failure.status if isinstance(failure, refusals.Refusal) else failure.http_status
        retry = failure.retry_after if isinstance(failure, refusals.Refusal) else None
        headers = b"" if retry is None else b"retry-after: %d\r\n" % retry
        body = messages.fault_body(failure, "vi" if vietnamese else "en")
        self.answer(status, body, headers, close=close or status == 413)

    def give_up(self) -> None:
        """Patience has ended."""
        if self._closing:
            if self._transport is not None:
                self._transport.abort()
        elif self._arriving is not None:
            self._break(refusals.too_slow())
        else:
            self._part()

    def leave(self) -> None:
        """After the answer that is under way, if there is one."""
        if self._current is not None:
            self._current.keep = False
        else:
            self._part()

    def _serve(self, request: Request) -> None:
        self._current, self._busy, self.due = request, True, _NEVER
        self._serving = True
        if request.refusal is not None:
            self.refuse(request.refusal)
        else:
            self._hall.desk.serve(self, request)
        self._serving = False

    def _next(self) -> None:
        """The messages that came meanwhile, without recursion."""
        while self._pending and not self._busy and not self._stalled and not self._closing:
            request = self._pending.popleft()
            if not self._pending and self._transport is not None:
                self._transport.resume_reading()
            self._serve(request)

    def _break(self, failure: KhienError) -> None:
        """Answer what has not arrived whole, unless an earlier message is being answered, and part."""
        if self._closing:
            return
        if self._busy:
            if self._current is not None:
                self._current.keep = False
            self._arriving = self._pending = None
            return
        self._current, self._arriving = self._arriving or Request(), None
        self.refuse(failure, close=True)

    def _part(self) -> None:
        self._closing, self.due = True, self._hall.now + _LINGER_SECONDS
        if self._transport is not None:
            if self._transport.can_write_eof():
                self._transport.write_eof()
            else:
                self._transport.close()
