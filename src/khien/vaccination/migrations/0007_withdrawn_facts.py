from django.db import migrations

from khien.core.migration import sql_file


class Migration(migrations.Migration):
    dependencies = [("vaccination", "0006_due")]
    operations = [sql_file("khien.vaccination", "tables/withdrawn_facts.sql")]
