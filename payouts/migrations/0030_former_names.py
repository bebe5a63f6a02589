"""Former names are history, which nobody writes twice."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql" / "former_names.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0010_former_name"),
        ("payouts", "0029_disputed_twins"),
    ]

    operations = [
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
