"""Makes a running product ready to be measured: `python -m tests.bench.prepare`, in its settings.

Fills it with payments, and gives the partner that most of them belong to what a create looks at: an
API client, limits, a fee, an approval rule, money, and many people with one card each. A process of
its own, because one process has one database. Prints what the loads need as one line of JSON.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from config.demo.cast import FUNDS, LIMITS, NEEDS_APPROVAL_FROM  # noqa: E402
from consumers.api.paging import _OLDER, CURSOR, _sealed  # noqa: E402
from consumers.models import Partner, PaymentCard  # noqa: E402
from consumers.operations.api_clients import ALL_SCOPES, create_api_client, issue_token  # noqa: E402
from consumers.table_owner import as_owner  # noqa: E402
from payouts.actors import COMMAND_LINE  # noqa: E402
from payouts.models import ApprovalRule, Limit, Payment  # noqa: E402
from payouts.operations.partners import fund_partner  # noqa: E402
from tests.bench.create_script import create_script  # noqa: E402
from tests.builders import make_card, make_consumer  # noqa: E402

LIST: Final = "/v2/payments/oct/"
STAFF_LIST: Final = "/admin/payouts/payment/"
PARTNER: Final = "Seeded partner 1"
CARDS: Final = 2000
RETRIEVED: Final = 20_000
_NOT_THE_NEWEST: Final = 1_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--payments", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args()
    _seed(chosen.payments)
    partner = Partner.objects.get(name=PARTNER)
    cards = _people(partner)
    token = issue_token(create_api_client(partner, name="Bench").client, scopes=ALL_SCOPES)
    _terms(partner)
    _write(chosen.folder, "creates", [_members(card) for card in cards])
    _write(chosen.folder, "retrieves", _retrieves(partner))
    _write(chosen.folder, "lists", [LIST])
    _write(chosen.folder, "short lists", [f"{LIST}?page_size=10"])
    (chosen.folder / "create.sql").write_text(create_script(cards, token=token))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    facts = {"token": token, "pages": _pages(partner), "staff_pages": _staff_pages(partner)}
    sys.stdout.write(json.dumps(facts) + "\n")


def _seed(payments: int) -> None:
    missing = payments - Payment.objects.count()
    if missing > payments // 100:
        call_command("seed_payments", missing, stdout=sys.stderr)


def _terms(partner: Partner) -> None:
    """The limits, the rule and the money of the demo's partner; its fee is there already."""
    if Limit.objects.filter(partner=partner).exists():
        return
    Limit.objects.bulk_create(
        Limit(partner=partner, scope=scope, **bounds) for scope, bounds in LIMITS.items()
    )
    ApprovalRule.objects.create(
        partner=partner, name=f"{partner.name}: much", amount_at_least=NEEDS_APPROVAL_FROM
    )
    fund_partner(partner, FUNDS, actor=COMMAND_LINE)


def _people(partner: Partner) -> list[PaymentCard]:
    """One card each, of a kind that the sandbox network credits; as if it had been asked about."""
    checked: dict[str, Any] = {
        "push_eligible": True,
        "push_speed": "fast_funds",
        "push_checked_at": timezone.now(),
    }
    return [make_card(consumer=make_consumer(partner=partner), **checked) for _ in range(CARDS)]


def _members(card: PaymentCard) -> str:
    return f'"consumer_id": "{card.consumer_id}", "external_payment_card_id": "{card.pk}"'


def _retrieves(partner: Partner) -> list[str]:
    """Addresses of random payments, from all over the table."""
    ids = Payment.objects.filter(partner=partner).order_by("?").values_list("pk", flat=True)
    return [f"{LIST}{payment_id}/" for payment_id in ids[:RETRIEVED]]


def _pages(partner: Partner) -> dict[str, str]:
    """Addresses of pages of the partner's list, by what they show."""
    ids = Payment.objects.filter(partner=partner).order_by("-pk").values_list("pk", flat=True)
    middle = ids[ids.count() // 2]
    return {
        "API list": LIST,
        "API list in the middle": f"{LIST}?{CURSOR}={_sealed(_OLDER, middle)}",
        "API list of one status": f"{LIST}?status=failed",
    }


def _staff_pages(partner: Partner) -> dict[str, str]:
    """Addresses of the back office's list, by what somebody on the phone says or narrows it to."""
    newest = Payment.objects.filter(partner=partner).order_by("-pk").exclude(reference="")
    sent = newest.filter(attempt__isnull=False).select_related("consumer", "card", "attempt")
    found = list(sent[:_NOT_THE_NEWEST])
    if not found:
        return {}
    one = found[-1]
    person, card, attempt = one.consumer, one.card, one.attempt
    said = {
        "name": person.full_name,
        "first letter": person.first_name[:1],
        "e-mail": person.email,
        "pcid": person.pcid,
        "last four": card.last4,
        "amount": f"${one.amount:,.2f}",
        "reference's beginning": one.reference[:12],
        "payment id": str(one.pk),
        "its beginning": str(one.pk)[:8],
        "RRN": attempt.retrieval_reference_number,
        "trace": attempt.trace_number,
        "Request-Id": one.request_id,
        "name, last four, amount": f"{person.last_name} {card.last4} ${one.amount}",
        "name, of one status": person.first_name,
    }
    day = f"{one.created_at:%Y-%m-%d}"
    narrowed: dict[str, dict[str, str]] = {
        "of one status": {"status": "failed"},
        "of a rare status": {"status": "rejected"},
        "of a partner and a status": {"partner": str(partner.pk), "status": "failed"},
        "of one reason of failing": {"failure": "expired_card"},
        "of a reason that nothing has": {"failure": "nothing_has_this"},
        "of a day": {"day_from": day, "day_to": day},
        "of large amounts": {"amount_min": "2000"},
        "of a network without cards": {"network": "jcb"},
    }
    searches = {f"search by {name}": {"q": text} for name, text in said.items()}
    searches["search by name, of one status"]["status"] = "failed"
    shown = searches | {f"list {name}": query for name, query in narrowed.items()}
    pages = {name: f"{STAFF_LIST}?{urlencode(query)}" for name, query in shown.items()}
    return pages | {
        "one push": f"{STAFF_LIST}{one.pk}/change/",
        "what to narrow by": "/admin/pushes/facets/",
        "waiting for me": "/admin/approvals/",
        "waiting for anybody": "/admin/approvals/?view=all",
        "changes": "/admin/changes/?view=all",
        "partners by name": f"/admin/settings/?{urlencode({'q': partner.name[:4]})}",
    }


def _write(folder: Path, name: str, lines: list[str]) -> None:
    (folder / name).write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
