from django.urls import include, path

from khien.access import account_views, agency_views, key_views, log_views, views

_own = [
    path("account/", views.account, name="account"),
    path("account/post/", views.take_up_post, name="take_up_post"),
    path("account/second-factor/", views.second_factor, name="second_factor"),
    path("my-record/", views.own_record, name="own_record"),
    path("persons/<int:person_id>/access/", views.looks_at_person, name="looks_at_person"),
    path("access/accounts/", account_views.accounts, name="accounts"),
    path("access/accounts.csv", account_views.accounts_file, name="accounts_file"),
    path("access/accounts/new/", account_views.new_account, name="new_account"),
    path("access/accounts/<int:account_id>/", account_views.one_account, name="one_account"),
    path("access/accounts/<int:account_id>/post/", account_views.give_post, name="give_post"),
    path("access/accounts/<int:account_id>/post/<int:assignment_id>/", account_views.change_days, name="change_days"),
    path("access/accounts/<int:account_id>/state/", account_views.change_state, name="change_state"),
    path("access/accounts/<int:account_id>/password/", account_views.issue_password, name="issue_password"),
    path("access/accounts/<int:account_id>/second-factor/", account_views.reset_second_factor, name="reset_factor"),
    path("access/agencies/", agency_views.agencies, name="agencies"),
    path("access/agencies.csv", agency_views.agencies_file, name="agencies_file"),
    path("access/agencies/new/", agency_views.new_agency, name="new_agency"),
    path("access/agencies/<int:agency_id>/", agency_views.one_agency, name="one_agency"),
    path("access/agencies/<int:agency_id>/change/", agency_views.change_agency, name="change_agency"),
    path("access/agencies/<int:agency_id>/take-back/", agency_views.take_back, name="take_back_agency"),
    path("access/agencies/<int:agency_id>/close/", agency_views.close_agency, name="close_agency"),
    path("access/agencies/<int:agency_id>/open/", agency_views.reopen_agency, name="reopen_agency"),
    path("access/keys/", key_views.keys, name="keys"),
    path("access/keys.csv", key_views.keys_file, name="keys_file"),
    path("access/keys/<int:key_id>/", key_views.one_key, name="one_key"),
    path("access/keys/<int:key_id>/revoke/", key_views.revoke_key, name="revoke_key"),
    path("access/accounts/<int:account_id>/keys/new/", key_views.new_key, name="new_key"),
    path("access/log/", log_views.log, name="log"),
    path("access/log.csv", log_views.log_file, name="log_file"),
    path("access/log/person/", log_views.log_of_person, name="log_of_person"),
    path("access/log/verify/", log_views.verify_log, name="verify_log"),
]

# Accounts, addresses and forgotten passwords are the administrator's business; no message is ever sent. These stand in
# front of allauth's pages of the same address.
_by_administrators = [
    path(f"accounts/{page}", views.ask_administrator)
    for page in ("signup/", "password/reset/", "email/", "confirm-email/")
]

# allauth names its pages itself, so only our own stand in a namespace.
urlpatterns = [
    path("", include((_own, "access"))),
    *_by_administrators,
    path("accounts/", include("allauth.urls")),
]
