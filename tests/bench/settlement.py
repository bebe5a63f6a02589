"""Writes the settlement file that a network would send about seeded payments, to measure imports.

`python -m tests.bench.settlement FILE [EACH]` in the settings of what `seed_payments` has filled.
"""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from payouts.invariants import SEEDED_CARD_ACCEPTOR  # noqa: E402
from payouts.networks.sandbox.planting import Plant, Planter, Wish  # noqa: E402
from payouts.networks.sandbox.settlement import (  # noqa: E402
    CREDIT,
    Header,
    Line,
    Window,
    file_text,
)

_LINES = """
SELECT attempt.acquiring_bin, attempt.trace_number, attempt.retrieval_reference_number,
    attempt.card_acceptor_id, attempt.terminal_id, attempt.transaction_id, '',
    (p.amount * 100)::bigint, 'USD', (attempt.answered_at AT TIME ZONE 'UTC')::date, card.last4
FROM payouts_payment p JOIN payouts_attempt attempt ON attempt.payment_id = p.id
JOIN consumers_paymentcard card ON card.id = p.card_id
WHERE attempt.card_acceptor_id = %s AND attempt.state = %s ORDER BY p.id
"""


def _lines(state: str) -> Iterator[Line]:
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_LINES, [SEEDED_CARD_ACCEPTOR, state])
        while rows := cursor.fetchmany(10_000):
            yield from (Line(CREDIT, *row) for row in rows)


def main(path: Path, each: int) -> None:
    """Write the file of the last sixty days, with `each` wrong lines of each kind."""
    now = datetime.now(UTC).replace(microsecond=0)
    window = Window(now - timedelta(days=60), now)
    wish = Wish(tuple(Plant) if each else (), each=max(each, 1))
    planter = Planter(wish, lines=sum(1 for _ in _lines("approved")), declined=_lines("declined"))
    header = Header(
        acquiring_bin=settings.ACQUIRING_BIN,
        card_acceptor_id=SEEDED_CARD_ACCEPTOR,
        window=window,
        made_at=now,
        reference=f"SEEDED-{now:%Y%m%d%H%M%S}",
    )
    with path.open("w", encoding="ascii") as file:
        file.writelines(file_text(header, planter.struck(_lines("approved"))))
    sys.stdout.write(f"{len(planter.planted)} planted\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
