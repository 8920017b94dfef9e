from django.urls import path

from khien.territory import views

app_name = "territory"
urlpatterns = [path("units/<int:unit_id>/outlines", views.outlines, name="outlines")]
