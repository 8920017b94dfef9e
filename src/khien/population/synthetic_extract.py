"""A made-up register extract of any size in seconds, to measure the loader with: not a likely nation, see `simulation`.

Every commune of `codes` gets its share; each row is a function of its number, so the same size gives the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

_SURNAMES = [
    "Nguyễn",
    "Trần",
    "Lê",
    "Phạm",
    "Hoàng",
    "Huỳnh",
    "Phan",
    "Vũ",
    "Võ",
    "Đặng",
    "Bùi",
    "Đỗ",
    "Hồ",
    "Ngô",
    "Dương",
    "Lý",
]
_MIDDLE = [
    "Văn",
    "Thị",
    "Hữu",
    "Đức",
    "Ngọc",
    "Minh",
    "Thanh",
    "Quốc",
    "Thu",
    "Xuân",
    "Hồng",
    "Gia",
    "Bảo",
    "Kim",
    "Đình",
    "Tuấn",
]
_GIVEN = [
    "An",
    "Anh",
    "Bình",
    "Châu",
    "Chi",
    "Cường",
    "Dũng",
    "Dương",
    "Đạt",
    "Đức",
    "Giang",
    "Hà",
    "Hải",
    "Hạnh",
    "Hiếu",
    "Hoa",
    "Hòa",
    "Hùng",
    "Hương",
    "Khánh",
    "Khoa",
    "Lan",
    "Linh",
    "Long",
    "Mai",
    "Minh",
    "Nam",
    "Nga",
    "Ngân",
    "Nhung",
    "Oanh",
    "Phúc",
    "Phương",
    "Quân",
    "Quỳnh",
    "Sơn",
    "Tâm",
    "Thảo",
    "Thắng",
    "Thủy",
    "Trang",
    "Trung",
    "Tuấn",
    "Uyên",
    "Vân",
    "Việt",
    "Vinh",
    "Yến",
]

_PEOPLE = """
WITH person AS (
    SELECT i, draw(i, 0) AS h, draw(i, 1) AS h1, draw(i, 2) AS h2, (i * 10) // 36 AS household,
        i = 0 OR (i * 10) // 36 <> ((i - 1) * 10) // 36 AS head,
        DATE '1935-01-01' + (draw(i, 3) % 31000)::INTEGER AS born,
        draw(i, 4) % 2 AS woman
    FROM range($people) t (i)
), dated AS (
    SELECT *, year(born) AS y, ($codes)[1 + draw(household, 0) % len($codes)] AS commune,
        CASE WHEN h1 % 20 = 0 THEN ($codes)[1 + draw(household, 5) % len($codes)] END AS other_commune,
        DATE '2021-01-01' + (h2 % 200)::INTEGER AS since
    FROM person
)
SELECT CASE WHEN i % 50 = 49 THEN NULL ELSE printf('%03d%d%02d%06d', 1 + (i // 1000000) % 96,
            CASE WHEN y < 2000 THEN 0 ELSE 2 END + woman, y % 100, i % 1000000) END AS personal_number,
    CASE WHEN i % 50 = 49 THEN 'GEN-' || i END AS provisional_id,
    ($surnames)[1 + h % len($surnames)] || ' ' || ($middle)[1 + h1 % len($middle)] || ' '
        || CASE WHEN h2 % 3 = 0 THEN ($given)[1 + h2 // 7 % len($given)] || ' ' ELSE '' END
        || ($given)[1 + h2 % len($given)] AS name,
    strftime(born, '%Y-%m-%d') AS birth_date,
    CASE WHEN woman = 1 THEN 'female' ELSE 'male' END AS sex,
    'VNM' AS nationality,
    CASE WHEN y < 1995 AND h % 4 = 0 THEN printf('%09d', i % 1000000000) END AS old_number,
    CASE WHEN h % 5 > 0 THEN printf('%010d', i) END AS insurance_number,
    CASE WHEN y < 2007 AND i % 50 <> 49 THEN 'cccd_chip' END AS card_kind,
    CASE WHEN y < 2007 AND i % 50 <> 49 THEN '2021-06-15' END AS card_issued_on,
    CASE WHEN y < 2007 AND i % 50 <> 49 THEN '2036-06-15' END AS card_expires_on,
    'H' || household AS household,
    CASE WHEN head THEN 'head' ELSE (['spouse', 'child', 'parent'])[1 + h % 3] END AS relation,
    commune,
    'Số ' || (household % 400 + 1) || ', đường ' || ($surnames)[1 + household % len($surnames)] AS address,
    other_commune AS temporary_commune,
    CASE WHEN other_commune IS NOT NULL THEN 'Nhà trọ ' || h % 99 END AS temporary_address,
    CASE WHEN other_commune IS NOT NULL THEN strftime(since, '%Y-%m-%d') END AS temporary_from,
    CASE WHEN other_commune IS NOT NULL THEN strftime(since + 700, '%Y-%m-%d') END AS temporary_until,
    NULL AS stay_commune, NULL AS stay_address, NULL AS stay_from, NULL AS stay_until,
    CASE WHEN h1 % 100 = 1 THEN strftime(since, '%Y-%m-%d') END AS absent_from,
    NULL AS absent_until,
    CASE WHEN h2 % 500 = 0 THEN '2021-08-01' END AS died_on
FROM dated
ORDER BY i
"""


def write_extract(target: Path, people: int, codes: Sequence[str]) -> None:
    """Write `people` rows in the documented columns to `target`: Parquet where its name ends so, else CSV."""
    form = "FORMAT parquet" if target.suffix == ".parquet" else "FORMAT csv, HEADER"
    with duckdb.connect() as engine:
        engine.execute("SET memory_limit = '200MB'")
        engine.execute("SET enable_progress_bar = false")  # it would write between the lines of a bench's JSON
        engine.execute("CREATE MACRO draw(n, salt) AS (hash(n, salt) % 1000000007)::BIGINT")
        engine.execute("SET preserve_insertion_order = true")
        lists = {"codes": list(codes), "surnames": _SURNAMES, "middle": _MIDDLE, "given": _GIVEN}
        engine.execute(f"COPY ({_PEOPLE}) TO '{target}' ({form})", {"people": people, **lists})  # noqa: S608 - path is ours
