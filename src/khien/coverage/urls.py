from django.urls import path

from khien.coverage import views

app_name = "coverage"
urlpatterns = [
    path("coverage/", views.coverage, name="coverage"),
    path("coverage/table.<str:kind>", views.table, name="table"),
]
