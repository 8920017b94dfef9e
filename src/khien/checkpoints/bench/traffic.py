"""A light HTTP client for measuring: requests are made and signed beforehand, one thread drives all connections.

It shares the machine's cores with the door and the database, so a request costs it some 15 µs and nothing is parsed but
the status and the length.
"""

from __future__ import annotations

import json
import random
import secrets
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from khien.checkpoints.door import signing

Person = tuple[str, str, str, str]  # number, name, birth date, sex
_HEAD = "POST {path} HTTP/1.1\r\nHost: door\r\nAuthorization: {header}\r\nContent-Length: {length}\r\n\r\n"


@dataclass(slots=True)
class Driven:
    """Latencies in seconds, from when a request should have been sent. `statuses` counts answers by status."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def answered(self) -> int:
        return self.statuses.get(200, 0)


class Signer:
    """Requests within one session of the bench's device."""

    def __init__(self, token: str, key: bytes) -> None:
        self._token, self._key = token, key

    def request(self, path: str, message: object) -> bytes:
        body = json.dumps(message, ensure_ascii=False).encode()
        header = signing.session_authorization(
            self._key, self._token, "POST", path, int(time.time()), secrets.token_urlsafe(9), body
        )
        return _HEAD.format(path=path, header=header, length=len(body)).encode() + body


def declarations(people: Sequence[Person], seed: int = 1) -> Iterator[dict[str, str]]:
    """What the people declare, for ever: most of it right, some in capitals without accents, some of it wrong."""
    from khien.core.text import fold

    dice = random.Random(seed)  # noqa: S311 - not for secrets
    while True:
        for number, name, born, sex in people:
            kind = dice.random()
            declared = {"number": number, "name": name, "birth_date": born, "sex": sex}
            if kind < 0.05:
                declared["name"] = fold(name).upper()
            elif kind < 0.09:
                declared["name"] = name[:-1]
            elif kind < 0.12:
                declared["birth_date"] = "1899-01-01"
            elif kind < 0.15:
                declared["number"] = "9" + number[1:]
            yield declared


def drive(port: int, requests: Sequence[bytes], *, clients: int, seconds: float, rate: float | None = None) -> Driven:
    """Send `requests` over `clients` connections until they or the time are used up.

    Without `rate` each client asks again as soon as it is answered; with it requests are due at even distances,
    whether or not a client is free.
    """
    result = Driven()
    poll = selectors.DefaultSelector()
    free = [_connect(port, poll) for _ in range(clients)]
    todo = iter(requests)
    due: dict[socket.socket, float] = {}
    buffers: dict[socket.socket, bytes] = {}
    begun = time.perf_counter()
    end, next_due, more = begun + seconds, begun, True
    while due or more:
        now = time.perf_counter()
        while more and free and (rate is None or next_due <= now):
            request = next(todo, None)
            if request is None or now >= end:
                more = False
                break
            sock = free.pop()
            due[sock] = now if rate is None else next_due
            if rate is not None:
                next_due += 1 / rate
            sock.sendall(request)
        if not due:
            time.sleep(max(0.0, min(next_due - time.perf_counter(), 0.001)))
            continue
        for key, _ in poll.select(0.0005 if rate is not None and free else 5):
            sock = key.fileobj  # type: ignore[assignment]
            _receive(sock, buffers, due, free, result)
    result.seconds = time.perf_counter() - begun
    for sock in free:
        sock.close()
    poll.close()
    return result


def _connect(port: int, poll: selectors.BaseSelector) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    poll.register(sock, selectors.EVENT_READ)
    return sock


def _receive(
    sock: socket.socket, buffers: dict[socket.socket, bytes], due: dict[socket.socket, float],
    free: list[socket.socket], result: Driven,
) -> None:  # fmt: skip
    part = sock.recv(262_144)
    if not part:
        raise ConnectionError("the door closed a connection")
    held = buffers.pop(sock, b"") + part
    head = held.find(b"\r\n\r\n")
    at = held.find(b"content-length: ", 0, head)
    if head < 0 or len(held) < head + 4 + int(held[at + 16 : held.index(b"\r", at)]):
        buffers[sock] = held
        return
    status = int(held[9:12])
    result.statuses[status] = result.statuses.get(status, 0) + 1
    result.latencies.append(time.perf_counter() - due.pop(sock))
    free.append(sock)
