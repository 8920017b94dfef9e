from django.urls import path

from khien.vaccination.views import campaign, desk, doses, events

app_name = "vaccination"
urlpatterns = [
    path("persons/<int:person_id>/doses/", doses.doses, name="doses"),
    path("persons/<int:person_id>/doses/new", doses.record, name="record"),
    path("persons/<int:person_id>/doses/<int:dose_id>/correct", doses.correct, name="correct"),
    path("persons/<int:person_id>/doses/<int:dose_id>/reaction", events.new, name="event_new"),
    path("reactions/", events.work_list, name="events"),
    path("persons/<int:person_id>/reactions/<int:event_id>", events.event, name="event"),
    path("campaigns/", campaign.campaigns, name="campaigns"),
    path("campaigns/<int:campaign_id>/", campaign.board, name="campaign"),
    path("campaigns/<int:campaign_id>/table.<str:kind>", campaign.board_file, name="campaign_file"),
    path("campaigns/<int:campaign_id>/unvaccinated/<int:unit_id>/", campaign.unvaccinated, name="unvaccinated"),
    path("stock/", campaign.fridge, name="stock"),
    path("sessions/", campaign.sessions, name="sessions"),
    path("sessions/<int:session_id>/", campaign.session_board, name="session"),
    path("sessions/<int:session_id>/list.<str:kind>", campaign.session_file, name="session_file"),
    path("sessions/<int:session_id>/call", campaign.call, name="session_call"),
    path("sessions/<int:session_id>/invite", campaign.invite, name="session_invite"),
    path("sessions/<int:session_id>/lot", campaign.lot, name="session_lot"),
    path("sessions/<int:session_id>/close", campaign.close, name="session_close"),
    path("sessions/<int:session_id>/call/<int:person_id>", campaign.note, name="session_note"),
    path("sessions/<int:session_id>/observation/", desk.observation, name="observation"),
    path("sessions/<int:session_id>/observation/<int:person_id>", desk.leave, name="leave"),
    path("sessions/<int:session_id>/desk/", desk.scan, name="desk_scan"),
    path("sessions/<int:session_id>/desk/<int:person_id>/", desk.screen, name="desk_screen"),
    path("sessions/<int:session_id>/desk/<int:person_id>/dose", desk.give, name="desk_give"),
    path("sessions/<int:session_id>/desk/<int:person_id>/refuse", desk.refuse, name="desk_refuse"),
    path("sessions/<int:session_id>/desk/<int:person_id>/undo", desk.undo, name="desk_undo"),
]
