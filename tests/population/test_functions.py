"""Python and PostgreSQL must make the same keys."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from khien.core.session import Session
from khien.population.rules import documents
from khien.population.rules.names import name_key, name_sort

LETTERS = (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyAĂÂĐÊÔƠƯ áàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩị"
    "óòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ'-\u0301\u0323jwzfñçü"
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(names=st.lists(st.text(LETTERS, max_size=30), min_size=1, max_size=50))
def test_names_have_the_same_keys(session: Session, names: list[str]) -> None:
    rows = session.rows(
        "SELECT khien_name_key(n) AS key, khien_name_sort(n) AS sort"
        " FROM unnest(%(names)s::text[]) WITH ORDINALITY AS t (n, i) ORDER BY i",
        names=names,
    )
    assert [(r["key"], r["sort"]) for r in rows] == [(name_key(n), name_sort(n)) for n in names]


def test_the_database_orders_as_python(session: Session) -> None:
    names = ["Trần Văn Ân", "Lê Thị An", "Lê Thị Ăn", "Bùi Đức", "Bùi Dũng", "Vũ Ánh", "Hồ Hoà", "Hồ Hoa", "Hồ Hoán"]
    rows = session.rows(
        'SELECT n FROM unnest(%(names)s::text[]) AS t (n) ORDER BY khien_name_sort(n) COLLATE "C"', names=names
    )
    assert [r["n"] for r in rows] == sorted(names, key=name_sort)


def test_provisional_ids_are_the_same(session: Session) -> None:
    serials = [0, 1, 97, 123_456, 9_999_999_999]
    rows = session.rows("SELECT khien_provisional_id(s) AS id FROM unnest(%(s)s::bigint[]) AS t (s)", s=serials)
    assert [r["id"] for r in rows] == [documents.format_provisional(s) for s in serials]
