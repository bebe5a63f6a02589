"""The database keeps what payments repeat of their cards, and drops the key that was narrower.

Statement by statement, so that nobody waits while all payments are compared; each can be run again.
"""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"

KEPT = [
    (SQL / "card_on_payment.sql").read_text(encoding="utf-8"),
    "ALTER TABLE payouts_payment DROP CONSTRAINT IF EXISTS payment_card_shown_fk",
    """
    ALTER TABLE payouts_payment ADD CONSTRAINT payment_card_shown_fk
        FOREIGN KEY (card_id, consumer_id, partner_id, card_network, card_last4)
        REFERENCES consumers_paymentcard (id, consumer_id, partner_id, network, last4) NOT VALID
    """,
    "ALTER TABLE payouts_payment VALIDATE CONSTRAINT payment_card_shown_fk",
    "ALTER TABLE payouts_payment DROP CONSTRAINT IF EXISTS payment_card_fk",
    "ALTER TABLE payouts_payment RENAME CONSTRAINT payment_card_shown_fk TO payment_card_fk",
    "ALTER TABLE consumers_paymentcard DROP CONSTRAINT IF EXISTS payment_card_of_consumer",
]


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("payouts", "0039_card_on_payment_of_all"),
    ]

    operations = [migrations.RunSQL(one, migrations.RunSQL.noop) for one in KEPT]
