"""Passwords that are changed at the first sign-in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_api_key"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="one_time_password",
            field=models.BooleanField(default=False, verbose_name="one-time password"),
        ),
    ]
