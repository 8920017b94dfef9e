"""Passes and personal codes as pictures."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import zxingcpp

from khien.core.text import fold
from khien.population.rules import personal_qr
from khien.population.rules.card_reading import CardReading
from khien.population.rules.partial_date import PartialDate


def png(text: str, scale: int = 6) -> bytes:
    """A QR code as PNG, `scale` pixels a module, quiet zone included."""
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    picture = np.asarray(code.to_image(scale=scale, add_quiet_zones=True))  # one byte of grey a pixel
    height, width = picture.shape
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
    masked = len(number) == 12
    card = CardReading(
        "personal_qr",
        masked_number="******" + number[6:] if masked else None,
        passport=None if masked else number,
        name=fold(name).upper(),
        birth_date=born,
        extras=(("declared_by", "other" if by_another else "self"),),
    )
    return personal_qr.format(card)
