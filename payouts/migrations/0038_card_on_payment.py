"""Payments hold their card's network and last four, and what awaits decisions has functions."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("consumers", "0014_card_as_shown"),
        ("payouts", "0037_zone_of_export"),
    ]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="card_network",
            field=models.CharField(default="", editable=False, max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="payment",
            name="card_last4",
            field=models.CharField(default="", editable=False, max_length=4),
            preserve_default=False,
        ),
        *(
            migrations.RunSQL((SQL / name).read_text(encoding="utf-8"), migrations.RunSQL.noop)
            for name in ("store_payment.sql", "approval_so_far.sql")
        ),
    ]
