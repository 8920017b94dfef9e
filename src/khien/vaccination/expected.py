"""What a value should have been, in both languages: the parameter of “Expected {expected}.”"""

from __future__ import annotations

from khien.core.i18n import Message

_VIETNAMESE = {
    "a JSON object": "một đối tượng JSON",
    "an object": "một đối tượng",
    "a list": "một danh sách",
    "a number": "một số",
    "a whole number": "một số nguyên",
    "text": "văn bản",
    "true or false": "true hoặc false",
    "a date (2021-12-17)": "ngày tháng (2021-12-17)",
    "a length of time": "một khoảng thời gian",
    "a list of texts": "một danh sách văn bản",
    "a table of texts": "một bảng văn bản",
    "a table": "một bảng",
    "a list of tables": "một danh sách bảng",
}


def expected(english: str) -> Message:
    return {"en": english, "vi": _VIETNAMESE[english]}
