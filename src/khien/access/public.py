"""Addresses that need no permission, by the name of their pattern (or the pattern), each with its reason.

Everything else is gated.
"""

PUBLIC = {
    "home": "the start page shows only what the visitor may open",
    "language": "sets a cookie",
    "account_login": "signing in",
    "account_logout": "signing out",
    "account_inactive": "says that an account is disabled",
    "account_signup": "closed: says so",
    "account_reauthenticate": "asks somebody signed in for the password again",
    "account_email": "own account, allauth asks for a sign-in",
    "account_email_verification_sent": "says that a message was sent",
    "account_confirm_email": "link of a message",
    "account_confirm_login_code": "part of signing in",
    "account_change_password": "own account, allauth asks for a sign-in",
    "account_set_password": "own account, allauth asks for a sign-in",
    "account_reset_password": "part of signing in",
    "account_reset_password_done": "part of signing in",
    "account_reset_password_from_key": "link of a message",
    "account_reset_password_from_key_done": "part of signing in",
    "mfa_index": "own account, allauth asks for a sign-in",
    "mfa_authenticate": "part of signing in",
    "mfa_reauthenticate": "own account, allauth asks for a sign-in",
    "mfa_activate_totp": "own account, allauth asks for a sign-in",
    "mfa_deactivate_totp": "own account, allauth asks for a sign-in",
    "mfa_view_recovery_codes": "own account, allauth asks for a sign-in",
    "mfa_generate_recovery_codes": "own account, allauth asks for a sign-in",
    "mfa_download_recovery_codes": "own account, allauth asks for a sign-in",
    "mfa_list_webauthn": "own account, allauth asks for a sign-in",
    "mfa_add_webauthn": "own account, allauth asks for a sign-in",
    "mfa_reauthenticate_webauthn": "own account, allauth asks for a sign-in",
    "mfa_remove_webauthn": "own account, allauth asks for a sign-in",
    "mfa_edit_webauthn": "own account, allauth asks for a sign-in",
    "mfa_login_webauthn": "part of signing in",
    "socialaccount_login_cancelled": "part of signing in",
    "socialaccount_login_error": "part of signing in",
    "socialaccount_signup": "closed: says so",
    "socialaccount_connections": "own account, allauth asks for a sign-in",
    # The same under allauth's older addresses, which have no names.
    "social/login/cancelled/": "part of signing in",
    "social/login/error/": "part of signing in",
    "social/signup/": "closed: says so",
    "social/connections/": "own account, allauth asks for a sign-in",
    "openid_connect_login": "part of signing in",
    "openid_connect_callback": "part of signing in",
    "openapi-json": "the description of the API holds no data",
    "api-root": "root of the API, to build addresses from; answers 404",
}
# The admin asks is_staff and has_perm of khien.access.models.Account, which ask the actor.
PUBLIC_NAMESPACES = {"admin"}
