"""Small master data of access, owned by Django's ORM: accounts, agencies, and who serves where as what."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

_NO_NUMBERS = RegexValidator(r"\d{9}", _("A user name must not be an identity number."), inverse_match=True)


class Agency(models.Model):
    """A body of the State whose people have accounts. `unit_id` is where it sits; null is the nation.

    It is closed by a last day (`valid_until`, included), never deleted. `previous`: what the last change of name, kind
    and unit replaced, so that it can be taken back.
    """

    class Kind(models.TextChoices):
        POLICE = "police", _("Police")
        STATION = "station", _("Health station")
        HOSPITAL = "hospital", _("Hospital")
        CDC = "cdc", _("Centre for disease control")
        CHECKPOINT = "checkpoint", _("Checkpoint")
        MINISTRY = "ministry", _("Ministry")
        OTHER = "other", _("Other")

    code = models.SlugField(_("code"), unique=True)
    name = models.TextField(_("name"))
    kind = models.TextField(_("kind"), choices=Kind.choices)
    unit_id = models.IntegerField(_("unit"), null=True, blank=True)
    valid_until = models.DateField(_("last day"), null=True, blank=True)
    previous = models.JSONField(null=True, blank=True, editable=False)

    class Meta:
        db_table = "agency"
        ordering: ClassVar = ["name"]
        verbose_name = _("agency")
        verbose_name_plural = _("agencies")

    def __str__(self) -> str:
        return self.name


class Accounts(BaseUserManager["Account"]):
    """Accounts are made by `actions.add_account`; this only finds them."""


class Account(AbstractBaseUser):
    """Somebody who signs in. Accounts are disabled, never deleted: the access log names them."""

    class Language(models.TextChoices):
        VI = "vi", "Tiếng Việt"
        EN = "en", "English"

    username = models.CharField(_("user name"), max_length=60, unique=True, validators=[_NO_NUMBERS])
    email = models.EmailField(_("e-mail"), blank=True)
    name = models.TextField(_("name"))
    language = models.CharField(_("language"), max_length=2, choices=Language.choices, default=Language.VI)
    is_active = models.BooleanField(_("may sign in"), default=True)
    # Somebody else knows the password: it opens nothing but the choice of another.
    one_time_password = models.BooleanField(_("one-time password"), default=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = Accounts()
    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        db_table = "account"
        ordering: ClassVar = ["username"]
        verbose_name = _("account")
        verbose_name_plural = _("accounts")

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name


class Assignment(models.Model):
    """An account serves as `role` for an agency within a unit (null: the nation) from one day to another (included).

    `purposes` narrows the role's purposes; empty means all of them.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="assignments", verbose_name=_("account"))
    role = models.SlugField(_("role"))
    agency = models.ForeignKey(Agency, models.PROTECT, null=True, blank=True, verbose_name=_("agency"))
    unit_id = models.IntegerField(_("unit"), null=True, blank=True)
    purposes = models.JSONField(_("purposes"), default=list, blank=True)
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_until = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        db_table = "assignment"
        ordering: ClassVar = ["id"]
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")

    def __str__(self) -> str:
        return self.role


class ApiKey(models.Model):
    """Lets another system act in one post of an account. The key itself is shown once; only its digest is kept.

    `purpose` empty: the first one of the post. `last_used_on` is written once a day.
    """

    assignment = models.ForeignKey(Assignment, models.PROTECT, verbose_name=_("assignment"))
    name = models.TextField(_("name"))
    digest = models.BinaryField(unique=True, editable=False)  # sha256 of the key
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    purpose = models.TextField(_("purpose"), blank=True, default="")
    valid_from = models.DateField(_("from"), null=True, blank=True)
    last_used_on = models.DateField(_("last use"), null=True, blank=True, editable=False)
    expires_on = models.DateField(_("until"))
    revoked = models.BooleanField(_("revoked"), default=False)

    class Meta:
        db_table = "api_key"
        ordering: ClassVar = ["id"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.name
