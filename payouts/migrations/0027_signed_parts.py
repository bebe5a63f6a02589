"""A signature over many pushes can be verified by the evidence of one of them."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0026_payment_by_failure"),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "signed_parts.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
    ]
