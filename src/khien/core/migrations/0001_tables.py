from django.db import migrations

from khien.core.migration import sql_file


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [sql_file("khien.core", "tables.sql")]
