"""What may have been paid after all is a twin under the lock too, not only at the first look."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0028_day_proofs"),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "store_payment.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
