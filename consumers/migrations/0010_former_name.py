"""What consumers and cards were named when something was pushed to them, or approved."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql" / "former_names.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0009_partner_search"),
    ]

    operations = [
        migrations.CreateModel(
            name="FormerName",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subject_id", models.UUIDField()),
                ("was", models.JSONField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject_id", "-id"], name="former_name_of_subject")
                ],
            },
        ),
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
