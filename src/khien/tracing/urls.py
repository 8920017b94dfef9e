from django.urls import path

from khien.tracing import views

app_name = "tracing"
urlpatterns = [
    path("tracing/", views.cases, name="cases"),
    path("tracing/contacts/", views.work, name="work"),
    path("tracing/chains/", views.chains, name="chains"),
    path("tracing/chains/<str:table>.csv", views.export, name="export"),
    path("tracing/cases/<int:person_id>/<int:case_id>/", views.case, name="case"),
    path("tracing/cases/<int:person_id>/<int:case_id>/trace", views.trace, name="trace"),
    path("tracing/cases/<int:person_id>/<int:case_id>/state", views.change, name="change"),
    path("tracing/cases/<int:person_id>/<int:case_id>/link", views.link, name="link"),
    path("persons/<int:person_id>/case/new", views.report, name="report"),
]
