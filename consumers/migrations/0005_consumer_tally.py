"""How many consumers each partner has, kept by triggers."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0004_consumer_editor"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConsumerTally",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "partner_id",
                        "part",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("part", models.PositiveSmallIntegerField()),
                ("consumers", models.BigIntegerField(default=0)),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consumers.partner",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(
            (SQL / "consumer_tally.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
