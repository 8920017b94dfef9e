"""Why a request is refused, in words and as HTTP."""

from __future__ import annotations

from khien.core.errors import KhienError
from khien.core.i18n import N_, Message


class Refusal(KhienError):
    """Answered with `status`; `retry_after` in seconds where trying again may help."""

    def __init__(
        self, status: int, code: str, message: Message, *, retry_after: int | None = None, **params: object
    ) -> None:
        super().__init__(message, code=code, **params)
        self.status = status
        self.retry_after = retry_after


def no_credentials() -> Refusal:
    return Refusal(401, "unsigned", N_("The request is not signed, or its Authorization header has another form."))


def bad_signature() -> Refusal:
    return Refusal(401, "bad_signature", N_("The signature does not fit the request, or the device is not enrolled."))


def session_over() -> Refusal:
    return Refusal(401, "session_over", N_("The session is over or is not of this door. Begin a new one."))


def clock_off(server_time: str) -> Refusal:
    return Refusal(
        401, "clock", N_("The clock of the device is off: here it is {server_time}."), server_time=server_time
    )


def replayed() -> Refusal:
    return Refusal(409, "replayed", N_("This very message was received before."))


def device_refused() -> Refusal:
    return Refusal(403, "device_refused", N_("The device is not enrolled or was revoked."))


def busy() -> Refusal:
    return Refusal(503, "busy", N_("Too many checks at once. Try again in a moment."), retry_after=1)


def no_database() -> Refusal:
    return Refusal(503, "unavailable", N_("The register cannot be reached now. Try again in a moment."), retry_after=2)


def too_large(limit: int) -> Refusal:
    return Refusal(413, "too_large", N_("The message is larger than {limit} bytes."), limit=limit)


def no_length() -> Refusal:
    return Refusal(411, "no_length", N_("The message must say its Content-Length."))


def not_http() -> Refusal:
    return Refusal(400, "not_http", N_("The message is not HTTP."))


def head_too_large(limit: int) -> Refusal:
    return Refusal(431, "head_too_large", N_("The headers are larger than {limit} bytes."), limit=limit)


def too_slow() -> Refusal:
    return Refusal(408, "too_slow", N_("The message did not arrive in time."))


def not_found() -> Refusal:
    return Refusal(404, "not_found", N_("Not found."))


def wrong_method() -> Refusal:
    return Refusal(405, "wrong_method", N_("This address is used with another method."))
