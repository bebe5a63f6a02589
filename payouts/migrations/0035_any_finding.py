"""Whatever a person's settlement file would change or open, a second person sees it first."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0034_settlement_refused_again"),
    ]

    operations = [
        migrations.RunSQL(
            (SQL / "any_finding.sql").read_text(),
            reverse_sql=(SQL / "what_comes.sql").read_text(),
        ),
    ]
