from django.urls import path

from khien.zones import views

app_name = "zones"
urlpatterns = [
    path("zones/", views.zones, name="zones"),
    path("zones/new/", views.new, name="new"),
    path("zones/grades/", views.grades, name="grades"),
    path("zones/flows/", views.flows, name="flows"),
    path("zones/tasks/", views.tasks, name="tasks"),
    path("zones/<int:zone_id>/", views.zone, name="zone"),
    path("zones/<int:zone_id>/change/", views.change, name="change"),
    path("zones/<int:zone_id>/close/", views.close, name="close"),
    path("zones/<int:zone_id>/push/", views.push, name="push"),
    path("zones/<int:zone_id>/sheets/", views.household_sheets, name="sheets"),
    path("zones/<int:zone_id>/people.<str:kind>", views.people_file, name="people"),
    path("persons/<int:person_id>/residence/", views.residence, name="residence"),
]
