"""What a row of a trace tells when it is asked."""

from __future__ import annotations

import datetime as dt

from khien.tracing.contact import Contact

MET = Contact(1, 7, None, 8, 0.5, 3600, 1630825500.25, 1630829100.25,
              '[["work",3,1630825500250000,1630829100250000,3600],["household",null,0,1,2]]')  # fmt: skip


def test_times_and_exposures() -> None:
    assert MET.first_at == dt.datetime(2021, 9, 5, 7, 5, 0, 250000, tzinfo=dt.UTC)
    assert MET.last_at - MET.first_at == dt.timedelta(hours=1)
    first, second = MET.exposures
    assert first == {"kind": "work", "place": 3, "from": "2021-09-05T07:05:00.250000+00:00",
                     "until": "2021-09-05T08:05:00.250000+00:00", "seconds": 3600}  # fmt: skip
    assert (second["kind"], second["place"]) == ("household", None)


def test_what_was_cut_names_the_one_who_was_met() -> None:
    row = MET._replace(degree=2, via_person_id=9, person_id=0, found='[{"cut": "read", "total": 5}]')
    assert row.cuts == [{"cut": "read", "total": 5, "degree": 2, "person_id": 9}]
    assert row._replace(via_person_id=None).cuts[0]["person_id"] == 7
