"""Guards around journals and balances, and the order in which old usage is purged."""

from pathlib import Path

from django.db import migrations, models

SQL = Path(__file__).parent / "sql" / "ledger_guards.sql"


class Migration(migrations.Migration):
    dependencies = [("payouts", "0011_rollups")]

    operations = [
        migrations.RunSQL(SQL.read_text(encoding="utf-8"), migrations.RunSQL.noop),
        migrations.AddIndex("dailyusage", models.Index(fields=["day"], name="daily_usage_by_day")),
    ]
