"""What accounts need in Django's settings; core.settings takes over the names in EXPORTED.

KHIEN_MFA           "required" (default): roles that need a second factor have no rights without one; "off": for shows
KHIEN_OIDC_URL      issuer of an OpenID Connect provider; with it people sign in there, to accounts that exist here
KHIEN_OIDC_NAME     what the button says
KHIEN_OIDC_CLIENT   client id        KHIEN_OIDC_SECRET   client secret
"""

from __future__ import annotations

import os
from typing import Any

from khien.core import config

APPS = [
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
# After Django's authentication: first allauth's own, then who acts in which role.
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware", "khien.access.middleware.ActorMiddleware"]

AUTH_USER_MODEL = "access.Account"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "khien.access.adapters.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "khien.access.adapters.SocialAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # accounts are made by administrators, who know the address
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_CHANGE_EMAIL = False
ACCOUNT_SESSION_REMEMBER = False  # shared machines: the session ends with the browser
ACCOUNT_LOGOUT_ON_GET = False
# Counted in the database, so that a limit holds over all processes and restarts.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "20/m/ip,5/300s/key",
    # Declarations by the public: many phones share an address; a number is declared a few times a day.
    "declare": "120/m/ip,2000/d/ip,10/d/key",
    # Check-ins: a busy market behind one address; a person in a few dozen places a day; one keeper's phone.
    "visit": "240/m/ip,40/d/key",
    "keeper": "60/m/key",
    "diary": "60/m/ip,24/d/key",
}
# One address in front of a whole station: the limit per address is generous, the one per account is tight.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if config.https() else 0

MFA_REQUIRED = os.environ.get("KHIEN_MFA", "required") != "off"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "khien.access.forms.AddPasskeyForm",
    "edit_webauthn": "khien.access.forms.EditPasskeyForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = "Khiên"
MFA_TOTP_TOLERANCE = 1  # phones whose clock is half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not config.https()  # browsers themselves allow it on localhost alone

OIDC_URL = os.environ.get("KHIEN_OIDC_URL", "")
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "agency",
                "name": os.environ.get("KHIEN_OIDC_NAME", "OpenID Connect"),
                "client_id": os.environ.get("KHIEN_OIDC_CLIENT", ""),
                "secret": os.environ.get("KHIEN_OIDC_SECRET", ""),
                "settings": {"server_url": OIDC_URL},
            }
        ]
        if OIDC_URL
        else [],
    }
}
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_STORE_TOKENS = False
# The provider vouches for the address, and only an account with that address can be entered.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = bool(OIDC_URL)
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = bool(OIDC_URL)
# A link, not a form: the policy of our pages lets a form lead to ourselves alone, also by way of a redirect.
SOCIALACCOUNT_LOGIN_ON_GET = True

CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "access_cache"}}

EXPORTED = [name for name in list(globals()) if name.isupper() and name not in ("APPS", "MIDDLEWARE")]
