"""Agencies that close, the last change of one; days, purpose and last use of keys."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_one_time_password"),
    ]

    operations = [
        migrations.AddField(
            model_name="agency",
            name="previous",
            field=models.JSONField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="agency",
            name="valid_until",
            field=models.DateField(blank=True, null=True, verbose_name="last day"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="last_used_on",
            field=models.DateField(blank=True, editable=False, null=True, verbose_name="last use"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="purpose",
            field=models.TextField(blank=True, default="", verbose_name="purpose"),
        ),
        migrations.AddField(
            model_name="apikey",
            name="valid_from",
            field=models.DateField(blank=True, null=True, verbose_name="from"),
        ),
    ]
