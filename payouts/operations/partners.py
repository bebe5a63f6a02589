"""Takes a partner on, and takes its money in."""

from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, changed_fields, record_act, subject_of
from consumers.models import Partner
from payouts.actors import Actor
from payouts.models import Account, AccountKind, JournalKind
from payouts.money import CENT
from payouts.operations.ledger import Line, open_partner_accounts, post_journal


class PartnerExists(Exception):
    """There is a partner of this name already."""


class NotAFundingAmount(ValueError):
    """A funding must be more than zero dollars, in whole cents, and what one line can hold."""


# The most that one line of the ledger holds.
LARGEST_FUNDING: Final = Decimal("999999999999.99")


def create_partner(name: str) -> Partner:
    """Create a partner with its ledger accounts.

    :raises PartnerExists: if the name is taken; of two callers at once one gets this.
    """
    with transaction.atomic():
        partner, created = Partner.objects.get_or_create(name=name)
        if not created:
            raise PartnerExists(name)
        open_partner_accounts(partner)
        record_act(Act(verb=Verb.ADD, subject=subject_of(partner), after={"name": name}))
    return partner


def set_partner_terms(
    partner: Partner,
    *,
    name: str,
    is_active: bool,
    requires_idempotency_key: bool,
    approval_hours: int,
) -> Partner:
    """Store a partner's own settings; they hold for whatever is asked for from now on.

    :raises django.db.IntegrityError: if the name is another partner's.
    """
    terms = {
        "name": name,
        "is_active": is_active,
        "requires_idempotency_key": requires_idempotency_key,
        "approval_hours": approval_hours,
    }
    with transaction.atomic():
        kept = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        before, after = changed_fields(kept, terms)
        Partner.objects.filter(pk=partner.pk).update(**terms)
        record_act(Act(verb=Verb.CHANGE, subject=subject_of(kept), before=before, after=after))
    return kept


def switch_off_partner(partner: Partner, *, reason: str) -> None:
    """Take no more pushes of a partner and refuse its tokens, from the next request on.

    One person may: stopping is always allowed. What was accepted before goes on. Doing it again
    changes nothing; switching on again takes two people.
    """
    with transaction.atomic():
        kept = Partner.objects.select_for_update(no_key=True).get(pk=partner.pk)
        if kept.is_active:
            Partner.objects.filter(pk=partner.pk).update(is_active=False)
            record_act(Act(verb=Verb.DISABLE, subject=subject_of(kept), reason=reason))


def require_funding_amount(amount: Decimal) -> None:
    """Let pass what can be booked as one arrival of money.

    :raises NotAFundingAmount: for anything else, however large or small.
    """
    # The bounds come first: cents of a number with thirty digits cannot even be computed.
    if not amount.is_finite() or not 0 < amount <= LARGEST_FUNDING:
        raise NotAFundingAmount(f"A funding must be more than 0 and at most ${LARGEST_FUNDING:,}.")
    if amount != amount.quantize(CENT):
        raise NotAFundingAmount("A funding must be in whole cents.")


def fund_partner(partner: Partner, amount: Decimal, *, actor: Actor, description: str = "") -> int:
    """Record that `amount` dollars of the partner's money arrived; return the journal's id.

    Every call is another arrival: the caller makes sure that it runs once.

    :raises NotAFundingAmount: unless the amount is above zero, in whole cents, and within
        `LARGEST_FUNDING`.
    """
    require_funding_amount(amount)
    bank = Account.objects.get(kind=AccountKind.BANK)
    available = Account.objects.get(kind=AccountKind.AVAILABLE, partner=partner)
    with transaction.atomic():
        journal_id = post_journal(
            JournalKind.FUNDED,
            lines=[Line(bank.pk, amount), Line(available.pk, -amount)],
            actor=actor,
            at=timezone.now(),
            description=description or f"Funds of {partner.name} arrived",
        )
        after = {"amount": amount, "journal": journal_id}
        record_act(Act(verb=Verb.FUND, subject=subject_of(partner), after=after))
    return journal_id
