from django.db import migrations

from khien.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("vaccination", "0005_events")]
    operations = [sql_file("khien.vaccination", "tables/due.sql")]
