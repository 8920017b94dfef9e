"""Log and grants, and the accounts: other apps depend on the account model through an app's first migration."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from khien.core.migration import sql_file

_UNITS = """
ALTER TABLE agency ADD FOREIGN KEY (unit_id) REFERENCES unit;
ALTER TABLE assignment ADD FOREIGN KEY (unit_id) REFERENCES unit;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = [("territory", "0001_tables")]
    operations = [
        sql_file("khien.access", "tables.sql"),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "username",
                    models.CharField(
                        max_length=60,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\d{9}", "A user name must not be an identity number.", inverse_match=True
                            )
                        ],
                        verbose_name="user name",
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("name", models.TextField(verbose_name="name")),
                (
                    "language",
                    models.CharField(
                        choices=[("vi", "Tiếng Việt"), ("en", "English")],
                        default="vi",
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="may sign in")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "account",
                "verbose_name_plural": "accounts",
                "db_table": "account",
                "ordering": ["username"],
            },
        ),
        migrations.CreateModel(
            name="Agency",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True, verbose_name="code")),
                ("name", models.TextField(verbose_name="name")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("police", "Police"),
                            ("station", "Health station"),
                            ("hospital", "Hospital"),
                            ("cdc", "Centre for disease control"),
                            ("checkpoint", "Checkpoint"),
                            ("ministry", "Ministry"),
                            ("other", "Other"),
                        ],
                        verbose_name="kind",
                    ),
                ),
                ("unit_id", models.IntegerField(blank=True, null=True, verbose_name="unit")),
            ],
            options={
                "verbose_name": "agency",
                "verbose_name_plural": "agencies",
                "db_table": "agency",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Assignment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("role", models.SlugField(verbose_name="role")),
                ("unit_id", models.IntegerField(blank=True, null=True, verbose_name="unit")),
                ("purposes", models.JSONField(blank=True, default=list, verbose_name="purposes")),
                ("valid_from", models.DateField(blank=True, null=True, verbose_name="from")),
                ("valid_until", models.DateField(blank=True, null=True, verbose_name="until")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="assignments",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
                (
                    "agency",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="access.agency",
                        verbose_name="agency",
                    ),
                ),
            ],
            options={
                "verbose_name": "assignment",
                "verbose_name_plural": "assignments",
                "db_table": "assignment",
                "ordering": ["id"],
            },
        ),
        migrations.RunSQL([(_UNITS, None)], migrations.RunSQL.noop),
    ]
