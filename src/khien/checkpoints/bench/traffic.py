"""A light HTTP client for measuring: requests are made and signed beforehand, one thread drives all connections.

It shares the machine's cores with the door and the database as pgbench does with the database, and like pgbench it
comes by a Unix socket unless told a port. A request costs it some 12 µs, nearly all of it in the kernel; nothing is
parsed but the status and the length.
"""

from __future__ import annotations

import json
import random
import secrets
import select
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

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


def declarations(people: Iterable[Person], seed: int = 1) -> Iterator[dict[str, str]]:
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


def drive(
    where: int | Path, requests: Sequence[bytes], *, clients: int, seconds: float, rate: float | None = None
) -> Driven:
    """Send `requests` over `clients` connections to a port or a Unix socket until they or the time are used up.

    Without `rate` each client asks again as soon as it is answered; with it requests are due at even distances,
    whether or not a client is free.
    """
    result, clock, poll = Driven(), time.perf_counter, select.epoll()
    sockets = {sock.fileno(): sock for sock in (_connect(where) for _ in range(clients))}
    for number in sockets:
        poll.register(number, select.EPOLLIN)
    free, todo = list(sockets), iter(requests)
    due: dict[int, float] = {}
    held: dict[int, bytes] = {}
    begun = clock()
    end, next_due, more = begun + seconds, begun, True
    try:
        while due or more:
            now = clock()
            while more and free and (rate is None or next_due <= now):
                request = next(todo, None)
                if request is None or now >= end:
                    more = False
                    break
                number = free.pop()
                due[number] = now if rate is None else next_due
                if rate is not None:
                    next_due += 1 / rate
                sockets[number].sendall(request)
            if not due:
                time.sleep(max(0.0, min(next_due - clock(), 0.001)))
                continue
            for number, _ in poll.poll(0.0005 if rate is not None and free else 5):
                answer = held.pop(number, b"") + sockets[number].recv(16_384)
                status = _status(answer)
                if status is None:
                    held[number] = answer
                    continue
                result.statuses[status] = result.statuses.get(status, 0) + 1
                result.latencies.append(clock() - due.pop(number))
                free.append(number)
        result.seconds = clock() - begun
    finally:
        poll.close()
        for sock in sockets.values():
            sock.close()
    return result


def _connect(where: int | Path) -> socket.socket:
    if isinstance(where, Path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(30)
        sock.connect(str(where))
        return sock
    sock = socket.create_connection(("127.0.0.1", where), timeout=30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _status(answer: bytes) -> int | None:
    """Of a whole answer; None while a part is missing."""
    if not answer:
        raise ConnectionError("the door closed a connection")
    head = answer.find(b"\r\n\r\n")
    at = answer.find(b"content-length: ", 0, head)
    if head < 0 or len(answer) < head + 4 + int(answer[at + 16 : answer.index(b"\r", at)]):
        return None
    return int(answer[9:12])
