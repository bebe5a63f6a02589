"""A file that kills its workers is set aside after some tries."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0024_first_password"),
    ]

    operations = [
        migrations.AddField(
            model_name="batch",
            name="tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.RunSQL(
            (SQL / "batch_tries.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
