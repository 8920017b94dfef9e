def test_session_is_rolled_back(session):
    session.execute("UPDATE clock SET demo_on = '2021-09-01'")
    assert session.today.isoformat() == "2021-09-01"
