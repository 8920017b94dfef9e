from django.db import migrations

from khien.core.migration import sql_file


class Migration(migrations.Migration):
    initial = True
    dependencies = [("core", "0001_tables")]
    operations = [sql_file("khien.territory", "tables.sql")]
