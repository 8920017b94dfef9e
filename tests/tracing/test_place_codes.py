"""Codes on posters: ours survive the way to the wall and back, others' are kept as read, nothing crashes the reader."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.tracing.movement import places
from khien.tracing.rules import place_code
from khien.tracing.rules.place_code import OtherCode, PlaceCode

ours = st.builds(
    PlaceCode, st.integers(1, 2**63 - 1), st.sampled_from(place_code.ROLES), st.binary(min_size=4, max_size=4)
)
signatures = st.binary(min_size=64, max_size=64)
hosts = st.sampled_from(["qr.tokhaiyte.vn", "QR.PCCOVID.gov.vn", "checkin.example.vn", "localhost:8000", "10.0.0.1"])


@given(code=ours, signature=signatures, before=st.sampled_from(["", "https://{}", "http://{}", "{}"]), host=hosts)
def test_our_code_comes_back_from_a_bare_token_and_from_any_host(
    code: PlaceCode, signature: bytes, before: str, host: str
) -> None:
    token = place_code.token(code, signature)
    text = f"{before.format(host)}/v/{token}" if before else token
    assert place_code.parse(text) == (code, signature)


@given(
    host=hosts,
    path=st.from_regex(r"/[A-Za-z0-9/?=&_.-]{0,80}", fullmatch=True),
    scheme=st.sampled_from(["", "https://", "HTTP://"]),
)
def test_the_address_on_anothers_poster_is_the_same_code_with_and_without_scheme(
    host: str, path: str, scheme: str
) -> None:
    code = place_code.parse(scheme + host + path)
    assert isinstance(code, OtherCode)
    assert code.text == host.lower() + path
    assert place_code.parse(place_code.format(code)) == code
    assert (code.system != "") == (host.lower() in ("qr.tokhaiyte.vn", "qr.pccovid.gov.vn"))


@settings(max_examples=500)
@given(text=st.one_of(st.text(max_size=250), st.text(alphabet="/v:.|htps-_AZaz09=?\x00 ", max_size=120)))
def test_whatever_is_scanned_is_a_code_or_bad_input(text: str) -> None:
    try:
        code = place_code.parse(text)
    except BadInput:
        return
    if isinstance(code, OtherCode):
        assert place_code.parse(place_code.format(code)) == code


@given(text=st.text(max_size=300))
def test_whatever_a_keeper_scans_is_a_guest_or_bad_input(text: str) -> None:
    try:
        places.guest_of(text)
    except BadInput as refusal:
        assert text == "" or len(text) < 4 or text not in refusal.text("vi")


def test_a_persons_code_is_no_place(session: object) -> None:
    with pytest.raises(BadInput):
        place_code.parse("001190000001|NGUYEN THI VI DU|1990-01-15|0||")
    path = "https://khien.example.vn" + places.path_of(7)
    code, _signature = place_code.parse(path)  # type: ignore[misc]
    assert (code.place_id, code.role) == (7, "guest")
