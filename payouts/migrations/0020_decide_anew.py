"""A decision counts for what it was about: after an edit its maker may decide anew, editors not."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0008_edit"),
        ("payouts", "0019_disputes"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="decision", name="decision_once_per_person"),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                fields=("payment", "user", "digest"), name="decision_once_per_content"
            ),
        ),
        migrations.RunSQL(
            (SQL / "decide_anew.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
