from django.contrib import admin
from django.urls import include, path

from khien.access import views

_own = [
    path("account/", views.account, name="account"),
    path("account/post/", views.take_up_post, name="take_up_post"),
    path("account/second-factor/", views.second_factor, name="second_factor"),
    path("persons/<int:person_id>/access/", views.looks_at_person, name="looks_at_person"),
]

# allauth and the admin name their pages themselves, so only our own stand in a namespace.
urlpatterns = [
    path("", include((_own, "access"))),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
