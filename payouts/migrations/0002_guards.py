"""Triggers, composite keys and the one function that stores an accepted payment."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0001_initial"),
        ("consumers", "0002_card_belongs_to_partner"),
    ]

    operations = [
        migrations.RunSQL((SQL / "guards.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop),
        migrations.RunSQL(
            (SQL / "store_payment.sql").read_text(encoding="utf-8"), migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            # Where every update rewrites a small hot row, room on its page keeps it there.
            """
            ALTER TABLE payouts_accountpart SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0,
                autovacuum_vacuum_threshold = 2000);
            ALTER TABLE payouts_paymenttally SET (fillfactor = 20, autovacuum_vacuum_scale_factor = 0,
                autovacuum_vacuum_threshold = 2000);
            ALTER TABLE payouts_dailyusage SET (fillfactor = 70);
            ALTER TABLE payouts_payment SET (fillfactor = 90);
            INSERT INTO payouts_account (kind, network) VALUES
                ('bank', ''), ('fee_revenue', ''), ('suspense', ''), ('network_payable', 'sandbox');
            """,
            migrations.RunSQL.noop,
        ),
    ]
