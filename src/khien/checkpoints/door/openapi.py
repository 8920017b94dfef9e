"""The description of the door's interface, OpenAPI 3.1."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from khien.checkpoints.door.messages import MOST_CHECKS
from khien.checkpoints.rules.declared import FIELDS, MAX_NAME, REQUIRED, SEXES
from khien.checkpoints.rules.verdict import NOTE_TEXTS, Verdict
from khien.population.rules.name_likeness import Likeness

_FIELDS = {
    "number": {"description": "12-digit personal number, 9-digit old card number, or provisional id"},
    "name": {"description": f"full name, in any writing; up to {MAX_NAME} characters"},
    "birth_date": {"description": "YYYY-MM-DD, YYYY-MM or YYYY; ** for an unknown month or day"},
    "sex": {"description": " | ".join(SEXES)},
    "card_number": {"description": "number printed on the card"},
    "card_issued_on": {"description": "YYYY-MM-DD; tells cards of one number apart"},
    "commune": {"description": "official code of the commune where the person says to live"},
}
_REFUSALS = {
    "400": "wrong usage", "401": "not signed, wrong signature, session over, clock off (with server_time)",
    "403": "the device is not enrolled or was revoked", "405": "wrong method", "408": "the message came too slowly",
    "409": "this very message was received before", "411": "no Content-Length", "413": "too large",
    "422": "breaks its form; nothing was checked", "503": "busy or no database; see Retry-After",
}  # fmt: skip


@cache
def document() -> bytes:
    return json.dumps(_document(), ensure_ascii=False).encode()


def _document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Khiên identity check",
            "version": "1",
            "description": "Whether a declared identity fits the register: never what the register says. Every check is"
            " logged durably before it is answered.",
        },
        "paths": {
            "/v1/checks": {"post": _post("check", "Check", "Answer", "One check")},
            "/v1/checks/batch": {"post": _post("checkBatch", "Batch", "Answers", f"Up to {MOST_CHECKS} checks")},
            "/v1/sessions": {"post": _post("beginSession", "SessionRequest", "Session", "Begin a session")},
            "/v1/openapi.json": {"get": _get("describe", "This description")},
            "/healthz": {"get": _get("health", "A sign of life and the length of the queue")},
        },
        "components": {"schemas": _schemas(), "securitySchemes": _security()},
    }


def _post(operation: str, request: str, answer: str, summary: str) -> dict[str, Any]:
    schemes: list[dict[str, list[str]]] = (
        [{"device": []}] if operation == "beginSession" else [{"session": []}, {"device": []}]
    )
    return {
        "operationId": operation,
        "summary": summary,
        "security": schemes,
        "requestBody": {"required": True, "content": _json(request)},
        "responses": {"200": {"description": "answered and logged", "content": _json(answer)}}
        | {s: {"description": text, "content": _json("Error")} for s, text in _REFUSALS.items()},
    }


def _get(operation: str, summary: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": content},
            "405": {"description": "wrong method", "content": _json("Error")},
        },
    }


def _json(name: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _object(properties: dict[str, Any], required: list[str], *, closed: bool = True) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    return made | {"additionalProperties": False} if closed else made


def _schemas() -> dict[str, Any]:
    assert _FIELDS.keys() == FIELDS
    text: dict[str, Any] = {"type": "string"}
    words = {"type": "array", "items": text}
    check = {
        name: {"type": "string" if name in REQUIRED else ["string", "null"], **about} for name, about in _FIELDS.items()
    }
    answer = {
        "verdict": {"enum": [v.value for v in Verdict]},
        "name": {"enum": [k.value for k in Likeness]},
        "birth_date": {"enum": ["same", "compatible", "differs"]},
        "malformed": words | {"description": "fields that cannot be right"},
        "notes": words | {"description": "where declared and registered differ without changing the verdict"},
        "notices": words | {"description": "what an officer may know of a match: " + ", ".join(list(NOTE_TEXTS)[4:])},
    }
    return {
        "Check": _object(check, list(REQUIRED)),
        "Batch": _object(
            {"checks": {"type": "array", "minItems": 1, "maxItems": MOST_CHECKS, "items": _reference("Check")}},
            ["checks"],
        ),
        "Answer": _object(answer, ["verdict"]),
        "Answers": _object({"answers": {"type": "array", "items": _reference("Answer")}}, ["answers"]),
        "SessionRequest": _object({"key": text | {"description": "ephemeral X25519 key, base64url"}}, ["key"]),
        "Session": _object(
            {"session": text, "key": text, "expires_at": text | {"format": "date-time"}},
            ["session", "key", "expires_at"],
        ),
        "Error": _object({"error": text, "message": text, "server_time": text}, ["error", "message"], closed=False),
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _security() -> dict[str, Any]:
    signed = "; signed: khien-1, method, path, time, nonce and the SHA-256 of the body in hex, one a line"
    return {
        "device": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "Khien-Device <device>.<Unix time>.<nonce>.<Ed25519 signature, base64url>" + signed,
        },
        "session": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "description": "Khien-Session <token>.<Unix time>.<nonce>.<HMAC-SHA256, base64url>" + signed
            + ". Key: HKDF-SHA256 of the X25519 secret, no salt, info 'khien-1 session <token>'.",
        },
    }  # fmt: skip
