"""Puts `request.actor` on every request: who asks, in which role, where, for what."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from khien.access.actor import NOBODY, Post, actor_for, posts
from khien.access.models import Account
from khien.core.actor import Actor
from khien.core.errors import NotAllowed


class AccessRequest(HttpRequest):
    """A request after this middleware. `posts` are what the account may switch between."""

    actor: Actor
    posts: list[Post]
    post: Post | None
    needs_second_factor: bool
    needs_password: bool  # somebody else knows it: nothing is open before another one is chosen


class ActorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = cast(AccessRequest, request)
        asked.actor, asked.posts, asked.post = NOBODY, [], None
        asked.needs_second_factor = asked.needs_password = False
        if request.user.is_authenticated:
            self._take_up(asked, request.user)
        return self.get_response(request)

    def _take_up(self, request: AccessRequest, account: Account) -> None:
        """The post chosen in this session, else the first; none if it ended meanwhile or a second factor is missing."""
        request.needs_password = account.one_time_password
        _, request.posts = posts(account.pk)
        chosen, purpose = request.session.get("assignment"), request.session.get("purpose")
        try:
            actor = actor_for(account.pk, account.name, request.posts, chosen, purpose)
        except NotAllowed:
            request.session.pop("assignment", None)
            request.session.pop("purpose", None)
            if not request.posts:
                return
            actor = actor_for(account.pk, account.name, request.posts)
            chosen = None
        request.post = next(p for p in request.posts if chosen is None or p.assignment_id == chosen)
        request.needs_second_factor = settings.MFA_REQUIRED and request.post.role.mfa and not has_second_factor(account)
        if not request.needs_second_factor and not request.needs_password:
            request.actor = actor
        asked = request.path.startswith("/api/") and "Accept-Language" in request.headers  # by the program itself
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES and not asked:
            translation.activate(account.language)
            request.LANGUAGE_CODE = account.language


def has_second_factor(account: Account) -> bool:
    """Whether the account has a second factor set up; then allauth asked for it at sign-in."""
    kinds = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
    return Authenticator.objects.filter(user=account, type__in=kinds).exists()
