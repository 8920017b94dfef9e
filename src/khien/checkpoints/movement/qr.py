"""Passes and personal codes as pictures."""

from __future__ import annotations

import base64
import struct
import zlib

import zxingcpp

from khien.population.rules import personal_qr
from khien.population.rules.card_reading import CardReading
from khien.population.rules.partial_date import PartialDate

_QUIET = 4  # light modules around the code, ISO/IEC 18004


def png(text: str, scale: int = 6) -> bytes:
    """A QR code as PNG, `scale` pixels a module, quiet zone included."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = memoryview(code.to_image(scale=scale, add_quiet_zones=True))
    height, width = picture.shape[:2]
    rows = picture.tobytes()
    lines = b"".join(b"\x00" + rows[at : at + width] for at in range(0, height * width, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)  # eight bits of grey
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def picture_url(text: str) -> str:
    """The code as an address that holds the picture itself: nothing of it is kept on the server or in its logs."""
    return "data:image/png;base64," + base64.b64encode(png(text)).decode()


def svg(text: str) -> str:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return str(code.to_svg(add_quiet_zones=True))


def personal_code(number: str, name: str, born: PartialDate, *, by_another: bool) -> str:
    """The personal QR of Decision 1405, the first six characters of the number starred as it allows."""
    masked = {"masked_number": "******" + number[6:]} if len(number) == 12 else {"passport": number}
    card = CardReading(
        "personal_qr", name=_plain(name), birth_date=born,
        extras=(("declared_by", "other" if by_another else "self"),), **masked,
    )  # fmt: skip
    return personal_qr.format(card)


def _plain(name: str) -> str:
    from khien.core.text import fold

    return fold(name).upper()
