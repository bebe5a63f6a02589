"""The life of a change of settings, written once and chained; decisions about it may be signed."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("payouts", "0020_decide_anew"),
    ]

    operations = [
        migrations.AddField(
            model_name="changerequest",
            name="signature",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="payouts.decisionsignature",
            ),
        ),
        migrations.CreateModel(
            name="ChangeEvent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField()),
                ("kind", models.CharField(max_length=12)),
                ("format", models.PositiveSmallIntegerField()),
                ("row_digest", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField()),
                (
                    "change",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="payouts.changerequest",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("change", "number"), name="change_event_numbered"
                    ),
                    models.UniqueConstraint(fields=("change", "kind"), name="change_event_once"),
                ],
            },
        ),
        # Foreign keys are checked now, so that what follows may change the tables.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(
            (SQL / "change_events.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
