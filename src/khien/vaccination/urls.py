from django.urls import path

from khien.vaccination import views

app_name = "vaccination"
urlpatterns = [
    path("persons/<int:person_id>/doses/", views.doses, name="doses"),
    path("persons/<int:person_id>/doses/new", views.record, name="record"),
    path("persons/<int:person_id>/doses/<int:dose_id>/correct", views.correct, name="correct"),
]
