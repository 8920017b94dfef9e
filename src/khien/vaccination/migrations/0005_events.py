from django.db import migrations

from khien.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("vaccination", "0004_desk")]
    operations = [sql_file("khien.vaccination", "tables/events.sql")]
