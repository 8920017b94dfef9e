"""Every error of the JSON API has one form, whoever made it, in the language that the caller asked for.

{"error": "bad_input", "message": "...", "faults": [{"field": "given_on", "line": null, "message": "..."}]}
"""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import get_language
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from khien.core.i18n import N_, translate

_CODES = {
    400: "bad_request", 401: "not_signed_in", 403: "forged", 404: "not_found", 405: "wrong_method", 422: "bad_input",
    429: "too_many", 500: "error", 503: "unavailable",
}  # fmt: skip
_MESSAGES = {
    "bad_request": N_("The message cannot be read: it is not valid JSON."),
    "not_signed_in": N_("Sign in, or send a valid key."),
    "forged": N_("The message lacks the token of its session (CSRF)."),
    "not_found": N_("Not found."),
    "wrong_method": N_("This address does not take this method."),
    "bad_input": N_("The message does not fit its description."),
    "too_many": N_("Too many messages. Please try again later."),
    "error": N_("This is our fault. It was noted."),
    "unavailable": N_("The service cannot answer now. Please try again."),
}
# What pydantic found, by its code; the parameters are limits, never the value itself.
_FAULTS = {
    "missing": N_("This field is required."),
    "extra_forbidden": N_("This field is not known."),
    "string_type": N_("This must be text."),
    "string_too_short": N_("This must have at least {min_length} characters."),
    "string_too_long": N_("This must have at most {max_length} characters."),
    "string_pattern_mismatch": N_("This has letters that are not allowed."),
    "int_type": N_("This must be a whole number."),
    "int_parsing": N_("This must be a whole number."),
    "int_from_float": N_("This must be a whole number."),
    "int_parsing_size": N_("This number is too large."),
    "float_type": N_("This must be a number."),
    "float_parsing": N_("This must be a number."),
    "decimal_parsing": N_("This must be a number."),
    "bool_type": N_("This must be true or false."),
    "bool_parsing": N_("This must be true or false."),
    "greater_than": N_("This must be greater than {gt}."),
    "greater_than_equal": N_("This must be {ge} or more."),
    "less_than": N_("This must be less than {lt}."),
    "less_than_equal": N_("This must be {le} or less."),
    "list_type": N_("This must be a list."),
    "too_long": N_("This list must have at most {max_length} entries."),
    "too_short": N_("This list must have at least {min_length} entries."),
    "dict_type": N_("This must be an object."),
    "model_type": N_("This must be an object."),
    "model_attributes_type": N_("This must be an object."),
    "date_type": N_("This must be a day like 2021-09-15."),
    "date_parsing": N_("This must be a day like 2021-09-15."),
    "date_from_datetime_parsing": N_("This must be a day like 2021-09-15."),
    "date_from_datetime_inexact": N_("This must be a day like 2021-09-15."),
    "datetime_type": N_("This must be a moment like 2021-09-15T08:00:00+07:00."),
    "datetime_parsing": N_("This must be a moment like 2021-09-15T08:00:00+07:00."),
    "datetime_from_date_parsing": N_("This must be a moment like 2021-09-15T08:00:00+07:00."),
    "timezone_aware": N_("This moment needs its time zone."),
    "uuid_type": N_("This must be a UUID."),
    "uuid_parsing": N_("This must be a UUID."),
    "enum": N_("This is none of the values that are allowed: {expected}."),
    "literal_error": N_("This is none of the values that are allowed: {expected}."),
}
_OTHER = N_("This value does not fit.")


def body(code: str, message: str | None = None, faults: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The form of an error; without `message` the one of its code."""
    tongue = get_language() or "vi"
    return {"error": code, "message": message or translate(_MESSAGES.get(code, _MESSAGES["error"]), tongue),
            "faults": faults or []}  # fmt: skip


def of_status(status: int) -> dict[str, Any]:
    return body(_CODES.get(status, "error"))


def response(status: int) -> JsonResponse:
    return JsonResponse(of_status(status), status=status)


def fault_of(error: dict[str, Any]) -> dict[str, Any]:
    """One finding of pydantic: the field and what is wrong. Never the value, which may be an identifier."""
    template = _FAULTS.get(error["type"], _OTHER)
    try:
        message = translate(template, get_language() or "vi", **error.get("ctx", {}))
    except (KeyError, IndexError):
        message = translate(_OTHER, get_language() or "vi")
    # The first part says where it was sought (body, path, query), the second the name of the argument.
    where = [str(part) for part in error["loc"][1:]]
    return {"field": ".".join(where), "line": None, "message": message}


def install(api: NinjaAPI) -> None:
    """Let every error that the framework makes have the product's form."""

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, failure: ValidationError) -> Any:
        return JsonResponse(body("bad_input", faults=[fault_of(e) for e in failure.errors]), status=422)

    @api.exception_handler(HttpError)
    def refused(request: HttpRequest, failure: HttpError) -> Any:
        return response(failure.status_code)

    @api.exception_handler(Http404)
    def absent(request: HttpRequest, failure: Http404) -> Any:
        return response(404)


SCHEMA = {
    "title": "Error",
    "type": "object",
    "required": ["error", "message", "faults"],
    "properties": {
        "error": {
            "type": "string",
            "description": "A code for programs: " + ", ".join(_CODES.values()) + ", a rule's name …",
        },
        "message": {
            "type": "string",
            "description": "A sentence for people, in the language of Accept-Language (vi, en).",
        },
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string"},
                    "line": {"type": "integer", "nullable": True},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_ALWAYS = {
    "400": "The message cannot be read.",
    "401": "Neither signed in nor a valid key.",
    "403": "The token of the session is missing (CSRF).",
    "404": "Absent, or not allowed: the two look the same.",
    "422": "The message does not fit its description, or a rule forbids it.",
}


def documented(schema: OpenAPISchema) -> OpenAPISchema:
    """The description with the errors that every operation may answer; an operation's own ones stay."""
    schema.setdefault("components", {}).setdefault("schemas", {})["Error"] = json.loads(json.dumps(SCHEMA))
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path in schema["paths"].values():
        for operation in path.values():
            answers = operation.setdefault("responses", {})
            known = {str(status) for status in answers}
            for status, about in _ALWAYS.items():
                if status not in known:
                    answers[status] = {"description": about, "content": content}
    return schema
