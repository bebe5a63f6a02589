"""What is proved about each day."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql" / "day_proofs.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0027_signed_parts"),
    ]

    operations = [
        migrations.CreateModel(
            name="DayProof",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("day", models.DateField()),
                ("network", models.CharField(max_length=24)),
                ("acquiring_bin", models.CharField(max_length=11)),
                ("card_acceptor_id", models.CharField(max_length=15)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("agrees", "agrees"),
                            ("explained", "explained"),
                            ("no_file", "no_file"),
                            ("broken", "broken"),
                        ],
                        max_length=12,
                    ),
                ),
                ("figures", models.JSONField()),
                ("sha256", models.BinaryField(max_length=32)),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "proof of a day",
                "verbose_name_plural": "proofs of days",
                "indexes": [models.Index(fields=["-day", "-id"], name="day_proof_newest")],
            },
        ),
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
