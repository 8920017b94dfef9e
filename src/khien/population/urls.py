from django.urls import path

from khien.population import views

app_name = "population"
urlpatterns = [
    path("scan/", views.scan, name="scan"),
    path("persons/", views.search, name="search"),
    path("persons/<int:person_id>/", views.person, name="person"),
    path("persons/<int:person_id>/household/", views.household, name="household"),
    path("persons/<int:person_id>/undo/<str:subject>/<uuid:change_id>/", views.undo, name="undo"),
]
