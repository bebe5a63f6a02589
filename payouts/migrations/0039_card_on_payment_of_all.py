"""Writes the card's network and last four on the payments from before.

Five thousand a transaction, by key, beside whatever else runs; stopped and started again it looks
through all of them once more and writes what is missing.
"""

from typing import Any, Final

from django.db import migrations

_PIECE: Final = """
WITH piece AS (
    SELECT id FROM payouts_payment WHERE id > %s ORDER BY id LIMIT 5000
), written AS (
    UPDATE payouts_payment payment SET card_network = card.network, card_last4 = card.last4
    FROM consumers_paymentcard card
    WHERE payment.id IN (SELECT id FROM piece) AND payment.card_last4 = ''
      AND card.id = payment.card_id
)
SELECT id FROM piece ORDER BY id DESC LIMIT 1
"""
_FIRST: Final = "00000000-0000-0000-0000-000000000000"


def write_all(_apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_PIECE, [_FIRST])
        while row := cursor.fetchone():
            cursor.execute(_PIECE, [row[0]])


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("payouts", "0038_card_on_payment"),
    ]

    operations = [migrations.RunPython(write_all, migrations.RunPython.noop)]
