from django.db import migrations

from khien.core.migration import sql_file


class Migration(migrations.Migration):
    initial = True
    dependencies = [("vaccination", "0001_tables")]
    operations = [sql_file("khien.tracing", "tables.sql")]
