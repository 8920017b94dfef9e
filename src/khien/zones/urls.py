from django.urls import path

from khien.zones import views

app_name = "zones"
urlpatterns = [
    path("zones/", views.zones, name="zones"),
    path("zones/new/", views.new, name="new"),
    path("zones/grades/", views.grades, name="grades"),
    path("zones/capacity/", views.capacity, name="capacity"),
    path("zones/flows/", views.flows, name="flows"),
    path("zones/findings/", views.doubts, name="findings"),
    path("zones/tasks/", views.tasks, name="tasks"),
    path("zones/tasks.<str:kind>", views.tasks_file, name="tasks_file"),
    path("zones/<int:zone_id>/", views.zone, name="zone"),
    path("zones/<int:zone_id>/change/", views.change, name="change"),
    path("zones/<int:zone_id>/close/", views.close, name="close"),
    path("zones/<int:zone_id>/orders/<int:order_id>/sign/", views.sign, name="sign"),
    path("zones/<int:zone_id>/orders/<int:order_id>/withdraw/", views.withdraw, name="withdraw"),
    path("zones/<int:zone_id>/push/", views.push, name="push"),
    path("zones/<int:zone_id>/sheets/", views.household_sheets, name="sheets"),
    path("zones/<int:zone_id>/needs/<str:need>/", views.needing, name="needing"),
    path("zones/<int:zone_id>/difference/", views.difference, name="difference"),
    path("zones/<int:zone_id>/people.<str:kind>", views.people_file, name="people"),
    path("persons/<int:person_id>/residence/", views.residence, name="residence"),
    path("persons/<int:person_id>/needs/", views.needs, name="needs"),
]
