"""What was sent stands in the attempt, so that what is sent again is the same."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql" / "sent_as.sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0040_card_on_payment_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="recipient_name",
            field=models.CharField(blank=True, db_default="", default="", max_length=201),
        ),
        migrations.AddField(
            model_name="attempt",
            name="expiration_month",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="attempt",
            name="expiration_year",
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
    ]
