"""What somebody who decides about one push is told: a row of the queue, with its words, as facts.

What waits for people is read and judged in `payouts.backoffice.queue`; this only lays it out.
"""

from typing import Any

from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from payouts.backoffice.queue import Chosen, Row, queue_rows
from payouts.models import Payment
from payouts.models.approvals import Verdict


def row_of(payment: Payment, person: User) -> Row:
    """The push as the queue shows it to this person now, whether it waits or not."""
    return queue_rows([payment.pk], person, at=timezone.now())[0]


def push_facts(row: Row) -> list[tuple[str, Any]]:
    """Names and values, in dollars where there are any; what is empty is left out."""
    payment = row.payment
    facts = [
        ("Amount", f"${payment.amount:,.2f}"),
        ("Fee", f"${payment.fee_amount:,.2f}"),
        ("Total", f"${payment.amount + payment.fee_amount:,.2f}"),
        ("Consumer", f"{payment.consumer} ({payment.consumer.pcid})"),
        ("Card", _shown("row_card", row=row, card=payment.card, with_issuer=True)),
        ("Partner", payment.partner.name),
        ("Reference", payment.reference),
        ("Description", payment.description),
        ("Issued by", f"{row.maker} {row.source}"),
        ("Approvals", _shown("asks", row=row) if row.asks else ""),
        ("Approved by", ", ".join(row.approved_by)),
        ("Push", payment.pk),
    ]
    return [(name, value) for name, value in facts if value]


def consequences(row: Row, verdict: Verdict) -> str:
    """What follows from this person's decision, in the sentences of the queue."""
    is_approval = verdict is Verdict.APPROVE
    told = _shown("consequences", chosen=Chosen([row]), is_approval=is_approval)
    return " ".join([*told.split(), row.note if is_approval else ""]).strip()


def _shown(name: str, **context: Any) -> SafeString:
    return render_to_string(f"backoffice/{name}.html", context)
