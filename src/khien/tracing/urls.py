from django.urls import path

from khien.tracing import views
from khien.tracing.movement import views as movement

app_name = "tracing"
urlpatterns = [
    path("tracing/", views.cases, name="cases"),
    path("tracing/contacts/", views.work, name="work"),
    path("tracing/chains/", views.chains, name="chains"),
    path("tracing/chains/<str:table>.<str:kind>", views.export, name="export"),
    path("tracing/clusters/", views.held, name="clusters"),
    path("tracing/cases/<int:person_id>/<int:case_id>/", views.case, name="case"),
    path("tracing/cases/<int:person_id>/<int:case_id>/trace", views.trace, name="trace"),
    path("tracing/cases/<int:person_id>/<int:case_id>/state", views.change, name="change"),
    path("tracing/cases/<int:person_id>/<int:case_id>/link", views.link, name="link"),
    path("persons/<int:person_id>/case/new", views.report, name="report"),
    path("tracing/diary/<int:person_id>/code", movement.diary_code, name="diary_code"),
    path("tracing/diary/<int:person_id>/answered", movement.diary_answered, name="diary_answered"),
    path("places/", movement.list_places, name="places"),
    path("places/new", movement.new_place, name="new_place"),
    path("places/posters.pdf", movement.posters_pdf, name="posters_pdf"),
    path("places/<int:place_id>/", movement.show_place, name="place"),
    path("places/<int:place_id>/poster/<str:role>.pdf", movement.poster_pdf, name="poster_pdf"),
    path("places/<int:place_id>/poster/<str:role>", movement.poster, name="poster"),
    path("v/", movement.find_place, name="find_place"),
    path("v/<str:token>", movement.visit, name="visit"),
    path("diary/<str:code>/", movement.keep_diary, name="keep_diary"),
]
