"""Runs a seeding: prepares its partners, then writes people and payments in some processes."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from consumers.models import Partner
from consumers.operations.api_clients import create_api_client
from payouts import fees
from payouts.actors import api_client, staff
from payouts.models import Account, AccountKind, FeeSchedule
from payouts.operations.ledger import open_partner_accounts
from payouts.seeding.plan import House, Plan, SeededPartner, slices
from payouts.seeding.stories import APPROVAL_HOURS
from payouts.seeding.workers import workers
from payouts.seeding.write import require_sleeping_triggers, write_people, write_slice

# Told what is being written, how much of it is, and how much there is to write.
Told = Callable[[str, int, int], None]

NETWORK: Final = "sandbox"
APPROVER: Final = "seeded.approver"
CLIENT_NAME: Final = "Seeded server"
_FEES: Final = fees.FeeSchedule(
    fixed=Decimal("0.25"), basis_points=20, minimum=Decimal("0.50"), maximum=Decimal("5.00")
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TABLES: Final = (
    "consumers_consumer", "consumers_paymentcard", "payouts_payment", "payouts_attempt",
    "payouts_event", "payouts_journal", "payouts_posting", "payouts_idempotencykey",
    "payouts_dailyusage", "payouts_paymenttally", "payouts_accountpart", "payouts_decision",
    "payouts_approvalrequirement",
)  # fmt: skip


def seed(
    payments: int, *, told: Told, partners: int = 3, days: int = 30, processes: int = 1
) -> None:
    """Add `payments` payments of the last `days` days, of the first `partners` seeded partners.

    Commits slice by slice; whatever ends it, what is there by then is complete. With more than one
    process call it outside of any transaction: they have connections of their own.

    :raises payouts.seeding.write.TriggersCannotSleep: nothing has been written then.
    """
    require_sleeping_triggers()
    plan = make_plan(payments, partners=partners, days=days)
    people, groups = plan.groups * plan.consumers_per_group, range(plan.groups)
    with workers(processes, settings=connection.settings_dict) as each:
        written = each(partial(write_people, plan), groups)
        _told(lambda done: told("people", done, people), written)
        written = each(partial(write_slice, plan), list(slices(plan)))
        _told(lambda done: told("payments", done, payments), written)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_TABLES)}")


def make_plan(payments: int, *, partners: int, days: int) -> Plan:
    """Make what is missing of the partners and of our own side; both are found again next time."""
    now = timezone.now()
    with transaction.atomic():
        return Plan(
            run=secrets.token_hex(4),
            payments=payments,
            days=days,
            now_us=(now - _EPOCH) // timedelta(microseconds=1),
            partners=tuple(_partner(number) for number in range(1, partners + 1)),
            house=_house(),
        )


def _partner(number: int) -> SeededPartner:
    partner, _ = Partner.objects.get_or_create(
        name=f"Seeded partner {number}", defaults={"approval_hours": APPROVAL_HOURS}
    )
    open_partner_accounts(partner)
    schedule = FeeSchedule.objects.filter(partner=partner).order_by("-valid_from").first()
    schedule = schedule or FeeSchedule.objects.create(partner=partner, **asdict(_FEES))
    client = partner.api_clients.filter(name=CLIENT_NAME).first()
    client = client or create_api_client(partner, name=CLIENT_NAME).client
    return SeededPartner(
        id=str(partner.pk),
        client_id=str(client.pk),
        client_label=api_client(client.pk, client.name).label,
        available_id=_account_id(AccountKind.AVAILABLE, partner=partner),
        held_id=_account_id(AccountKind.HELD, partner=partner),
        schedule=fees.FeeSchedule(
            schedule.fixed, schedule.basis_points, schedule.minimum, schedule.maximum
        ),
    )


def _house() -> House:
    approver, is_new = User.objects.get_or_create(username=APPROVER, defaults={"is_active": False})
    if is_new:
        approver.set_unusable_password()
        approver.save(update_fields=["password"])
    return House(
        bank_id=_account_id(AccountKind.BANK),
        fee_revenue_id=_account_id(AccountKind.FEE_REVENUE),
        network_payable_id=_account_id(AccountKind.NETWORK_PAYABLE, network=NETWORK),
        network=NETWORK,
        acquiring_bin=settings.ACQUIRING_BIN,
        approver_id=approver.pk,
        approver_label=staff(approver.pk, APPROVER).label,
    )


def _account_id(kind: AccountKind, *, partner: Partner | None = None, network: str = "") -> int:
    return Account.objects.get(kind=kind, partner=partner, network=network).pk


def _told(told: Callable[[int], None], written: Iterable[int]) -> None:
    done = 0
    for number in written:
        done += number
        told(done)
