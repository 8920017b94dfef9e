"""A small client of the door, for other systems written in Python, tests and measurements. Blocking, one connection."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from khien.checkpoints.door import signing


class DoorClient:
    """Signs as `device` with its `key`. `clock_offset` in seconds is added to this machine's clock."""

    def __init__(
        self, host: str, port: int, device: int, key: Ed25519PrivateKey, *, clock_offset: int = 0, timeout: float = 30
    ) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=timeout)
        self._device, self._key, self._offset = device, key, clock_offset
        self.session: tuple[str, bytes] | None = None

    def begin_session(self) -> None:
        """From now on requests carry a code instead of a signature. Raises RuntimeError when refused."""
        ephemeral = X25519PrivateKey.generate()
        body = json.dumps({"key": signing.encode(ephemeral.public_key().public_bytes_raw())}).encode()
        status, _, answer = self.send("/v1/sessions", body, self.authorization("/v1/sessions", body))
        if status != 200:
            raise RuntimeError(answer)
        token = answer["session"]
        self.session = token, signing.session_key(ephemeral, signing.decode(answer["key"]), token)

    def check(self, **declared: str | None) -> tuple[int, dict[str, Any]]:
        """HTTP status and answer of one check."""
        return self._post("/v1/checks", declared)

    def check_batch(self, checks: list[dict[str, str | None]]) -> tuple[int, dict[str, Any]]:
        return self._post("/v1/checks/batch", {"checks": checks})

    def authorization(self, path: str, body: bytes) -> str:
        """A fresh header for this body."""
        at, nonce = int(time.time()) + self._offset, secrets.token_urlsafe(9)
        if self.session is None or path == "/v1/sessions":
            return signing.device_authorization(self._key, self._device, "POST", path, at, nonce, body)
        token, key = self.session
        return signing.session_authorization(key, token, "POST", path, at, nonce, body)

    def send(self, path: str, body: bytes, authorization: str, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers, answer."""
        try:
            self._connection.request("POST", path, body, {"Authorization": authorization, **headers})
            response = self._connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(response.read())
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def _post(self, path: str, message: object) -> tuple[int, dict[str, Any]]:
        body = json.dumps(message).encode()
        status, _, answer = self.send(path, body, self.authorization(path, body))
        return status, answer
