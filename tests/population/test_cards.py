"""Every form comes back as it went in; every broken text gets a fault by field and never its own value back."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khien.core.errors import BadInput
from khien.population.rules import card_qr, documents, mrz, partial_date, personal_number, personal_qr
from khien.population.rules.card import parse_card
from khien.population.rules.card_reading import CardReading
from khien.population.rules.partial_date import PartialDate

QR = "001190123456|012345678|Nguyễn Thị Ví Dụ|15011990|Nữ|Số 1, Trúc Bạch, Ba Đình, Hà Nội|01072021"
MRZ = "IDVNM1901234569001190123456<<0\n9001158F3001156VNM<<<<<<<<<<<8\nNGUYEN<<THI<VI<DU<<<<<<<<<<<<<"
PERSONAL = "******123456|NGUYEN THI VI DU|1990-**-**|1|Q0001|<2<<0900000000"

words = st.text("abcdeghiklmnopqrstuvxyĐÂÊÔƠƯăđêôơưáàảãạấễộứỵ", min_size=1, max_size=8)
names = st.lists(words, min_size=1, max_size=5).map(" ".join)
plain = st.lists(st.text("ABCDEGHIKLMNOPQRSTUVXY", min_size=1, max_size=5), min_size=1, max_size=2).map(" ".join)
days = st.dates(dt.date(1900, 1, 1), dt.date(2099, 12, 30))
partials = st.one_of(
    days.map(PartialDate.of), days.map(lambda d: PartialDate(d.year, d.month)), days.map(lambda d: PartialDate(d.year))
)


@st.composite
def people(draw: st.DrawFn) -> tuple[str, PartialDate, str]:
    birth, sex = draw(partials), draw(st.sampled_from(["male", "female"]))
    place = draw(st.sampled_from(sorted(personal_number.number_table().provinces)))
    return personal_number.compose(place, sex, birth.year, draw(st.integers(0, 999_999))), birth, sex


@st.composite
def chip_cards(draw: st.DrawFn) -> CardReading:
    number, birth, sex = draw(people())
    issued = draw(st.dates(max(dt.date(2021, 1, 1), birth.last_day), dt.date(2099, 12, 31)))
    extras = draw(st.lists(st.one_of(words, st.just("")), max_size=4).filter(lambda v: not v or v[-1]))
    new = issued >= dt.date(2024, 7, 1)
    return CardReading(
        kind="can_cuoc" if new else "cccd_chip",
        personal_number=number,
        old_number=draw(st.one_of(st.none(), st.from_regex("[0-9]{9}", fullmatch=True))),
        name=draw(names),
        birth_date=birth,
        sex=sex,
        address=draw(st.one_of(st.none(), names)),
        issued_on=issued,
        extras=tuple((f"field_{i}", v) for i, v in enumerate(extras, 8)) if new else (),
    )


@given(chip_cards())
def test_card_qr_comes_back(card: CardReading) -> None:
    assert card_qr.parse(card_qr.format(card)) == card == parse_card(card_qr.format(card))


@given(people(), plain, plain, st.one_of(st.none(), st.dates(dt.date(2021, 1, 1), dt.date(2099, 12, 30))))
def test_mrz_comes_back(person: tuple[str, PartialDate, str], family: str, given_name: str, expiry: dt.date) -> None:
    card = mrz.MrzCard(*person, expires_on=expiry, family=family, given=given_name)
    text = mrz.format(card)
    assert mrz.parse(text) == card == mrz.parse(text.lower().replace("\n", " \r\n ") + " ")
    assert parse_card(text).personal_number == person[0]


@given(people(), names, st.sampled_from(["self", "other"]), st.lists(st.one_of(words, st.just("")), max_size=8))
def test_personal_qr_comes_back(
    person: tuple[str, PartialDate, str], name: str, declared: str, extras: list[str]
) -> None:
    text = personal_qr.format(
        CardReading(
            "personal_qr",
            personal_number=person[0],
            name=name,
            birth_date=person[1],
            extras=(("declared_by", declared), ("qid", "Q1")),
        )
    ) + "<".join(extras)
    reading = parse_card(text)
    assert (reading.personal_number, reading.name, reading.birth_date) == (person[0], name, person[1])
    assert parse_card(personal_qr.format(reading)) == reading


@given(partials)
def test_dates_come_back(date: PartialDate) -> None:
    assert partial_date.parse_iso(str(date)) == date
    assert partial_date.parse_ddmmyyyy(partial_date.format_ddmmyyyy(date)) == date
    assert date.first_day <= date.last_day


@given(people())
def test_numbers_come_back(person: tuple[str, PartialDate, str]) -> None:
    number = personal_number.parse(f" {person[0][:3]} {person[0][3:]}\n")
    assert (number.value, number.birth_year, number.sex, number.warnings) == (person[0], person[1].year, person[2], ())
    assert person[0] not in repr(number)


@given(st.integers(0, 9_999_999_999), st.integers(2, 13), st.integers(1, 9))
def test_provisional_ids_come_back_and_one_wrong_digit_is_found(serial: int, place: int, add: int) -> None:
    text = documents.format_provisional(serial)
    assert documents.parse_provisional(f"{text[:2].lower()} {text[2:8]}-{text[8:]}") == serial
    wrong = text[:place] + str((int(text[place]) + add) % 10) + text[place + 1 :]
    with pytest.raises(BadInput):
        documents.parse_provisional(wrong)


broken = st.one_of(
    st.text(),
    st.text("0123456789|/-*<IDVNMKT NamNữ\r\n\ufeff", max_size=120),
    st.builds(
        lambda text, at, with_: text[: at % len(text)] + with_ + text[at % len(text) + 1 :],
        st.sampled_from([QR, MRZ, PERSONAL]),
        st.integers(0, 200),
        st.text(max_size=3),
    ),
    st.builds(lambda text, at: text[:at], st.sampled_from([QR, MRZ, PERSONAL]), st.integers(0, 120)),
)


@given(broken)
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        reading = parse_card(text)
    except BadInput as refusal:
        assert refusal.faults
        assert all(f.field and f.text("en") for f in refusal.faults)
    else:
        json.dumps(reading.as_json())


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + QR + "\r\n",
        QR + "||||",
        "  " + QR.replace("|", " | ") + " ",
        QR.encode().decode("latin-1"),
    ],
    ids=["mark and line end", "empty tail", "spaces", "wrong code page"],
)
def test_what_scanners_do_to_a_card_is_undone(text: str) -> None:
    assert parse_card(text) == parse_card(QR)


def test_six_fields_and_empty_second() -> None:
    fields = QR.split("|")
    six = parse_card("|".join(fields[:1] + fields[2:]))
    assert six == parse_card("|".join([fields[0], "", *fields[2:]]))
    assert six.old_number is None and six.name == "Nguyễn Thị Ví Dụ"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (QR.replace("15011990", "31021990"), ["birth_date"]),
        (QR.replace("|Nữ|", "|Khác|"), ["sex"]),
        (QR.replace("001190123456", "01190123456"), ["personal_number"]),
        (QR.replace("001190123456", "00119012345O").replace("|Nữ|", "||"), ["personal_number", "sex"]),
        (QR.replace("01072021", "00072021"), ["issued_on"]),
        (QR.rsplit("|", 1)[0], ["text"]),
        (QR.rsplit("|", 1)[0] + "|", ["issued_on"]),
        (QR[:40], ["text"]),
        (QR.replace("012345678", "12345678"), ["old_number"]),
        (MRZ.replace("9001158", "9001157"), ["birth_date", "text"]),
        (MRZ.replace("190123456900", "190123466900"), ["document_number", "text", "document_number"]),
        (MRZ[:55], ["text"]),
        (PERSONAL.replace("|1|", "|7|"), ["declared_by"]),
        (PERSONAL.replace("1990-**", "1990-13"), ["birth_date"]),
        ("012345678901234", ["personal_number"]),
        ("", ["text"]),
        ("\udc80", ["text"]),
        ("x" * 5000, ["text"]),
    ],
)
def test_a_broken_text_names_its_fields(text: str, fields: list[str]) -> None:
    with pytest.raises(BadInput) as refused:
        parse_card(text)
    assert [f.field for f in refused.value.faults] == fields
    said = str(refused.value) + "".join(f.text("en") for f in refused.value.faults)
    assert "190123" not in said and "Nguyễn" not in said


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (QR.replace("001190", "003190"), ["number_birth_place"]),
        (QR.replace("001190", "150190"), ["number_birth_place"]),
        (QR.replace("15011990", "15011991"), ["number_birth_year"]),
        (QR.replace("|Nữ|", "|Nam|"), ["number_sex"]),
        (QR.replace("Ví", "V?"), ["letters_lost"]),
        (QR + "|more", ["unexpected_fields"]),
        (QR.replace("01072021", "01072019"), ["card_not_yet_issued"]),
    ],
)
def test_doubts_are_warnings(text: str, rules: list[str]) -> None:
    assert [w.rule for w in parse_card(text).warnings] == rules


def test_bare_numbers() -> None:
    assert parse_card(" 001 190 123 456 ").kind == "personal_number"
    assert parse_card("012.345.678").old_number == "012345678"
    assert parse_card("dn 4010123456789").insurance_number == "DN4010123456789"
    assert parse_card("0123456789").kind == "insurance"
    assert parse_card(documents.format_provisional(42)).kind == "provisional"
    assert documents.parse_passport(" c 1234567 ") == "C1234567"


@pytest.mark.shared
def test_the_reference_table_agrees(shared: Path) -> None:
    reference = json.loads((shared / "data/vietnam/pin_tables.json").read_text(encoding="utf-8"))
    table = personal_number.number_table()
    assert table.provinces == reference["provinces"]
    for digit, meaning in reference["century_sex"].items():
        sex = {"M": "male", "F": "female"}[meaning["sex"]]
        assert table.centuries[digit] == (int(meaning["years"][:4]), sex)
