"""Changes of partners: a new one, its settings, money that has arrived for it, its API clients."""

from typing import Final

from django.contrib.auth.models import User

from consumers.models import APIClient, Partner
from consumers.operations.api_clients import (
    ALL_SCOPES,
    SECRET_SLOTS,
    add_client_secret,
    register_api_client,
)
from payouts.actors import staff
from payouts.changes import Contents
from payouts.models import ChangeRequest
from payouts.models.changes import FUNDING
from payouts.operations.change_kinds.base import (
    Kind,
    NotAChange,
    Target,
    decimal,
    dollars,
    valid,
)
from payouts.operations.partners import (
    NotAFundingAmount,
    create_partner,
    fund_partner,
    require_funding_amount,
    set_partner_terms,
)

LONGEST_REFERENCE: Final = 64


class PartnerKind(Kind):
    """A partner's own settings; without a partner, a new one."""

    name = "partner"
    proposes = "consumers.change_partner"

    def now(self, target: Target, after: Contents) -> Contents:
        return {} if target.partner_id is None else _terms(target.partner)

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        row = Partner()
        if target.partner_id is not None:
            row = Partner.objects.get(pk=target.partner.pk)
        for name, value in after.items():
            setattr(row, name, value)
        valid(row)
        return _terms(row)

    def label(self, target: Target, after: Contents) -> str:
        if target.partner_id is None:
            return f"New partner {after['name']}"
        return f"Settings of {target.partner.name}"

    def lock(self, target: Target) -> None:
        # Switching a partner off takes the same lock, and must not be undone by this.
        if target.partner_id is not None:
            Partner.objects.select_for_update(no_key=True).filter(pk=target.partner_id).first()

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        after = change.after
        partner = Partner(**after)
        if change.partner_id is not None:
            partner = Target(change.partner_id, "").partner
            for name, value in after.items():
                setattr(partner, name, value)
        valid(partner)
        if change.partner_id is None:
            partner = create_partner(after["name"])
        return str(set_partner_terms(partner, **after).pk)


class FundingKind(Kind):
    """Money of a partner that has arrived at our bank. The bank's reference is booked once."""

    name = FUNDING
    proposes = "consumers.change_partner"

    def now(self, target: Target, after: Contents) -> Contents:
        return {}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        reference = " ".join(str(after["reference"]).split())
        try:
            require_funding_amount(after["amount"])
        except NotAFundingAmount as error:
            raise NotAChange({"amount": [str(error)]}) from error
        if not reference or len(reference) > LONGEST_REFERENCE:
            told = f"Write the bank's reference, at most {LONGEST_REFERENCE} characters."
            raise NotAChange({"reference": [told]})
        if _is_booked(target, reference):
            told = "Money under this reference is booked already, or waits to be."
            raise NotAChange({"reference": [told]})
        return {"amount": dollars(after["amount"]), "reference": reference}

    def label(self, target: Target, after: Contents) -> str:
        amount = decimal(after["amount"])
        return f"${amount:,.2f} for {target.partner.name}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        amount, reference = decimal(change.after["amount"]), change.after["reference"]
        assert amount is not None
        described = f"{reference}, proposed by {change.proposed_by.get_username()}"
        actor = staff(by.pk, by.get_username())
        partner = Target(change.partner_id, "").partner
        return str(fund_partner(partner, amount, actor=actor, description=described[:200]))


class _MakesClientSecret(Kind):
    """The proposer fetches a secret of the client, once."""

    def makes_secret(self, change: ChangeRequest) -> bool:
        return True

    def collect(self, change: ChangeRequest) -> str:
        return add_client_secret(APIClient.objects.get(pk=change.result))

    def owner_of_secret(self, change: ChangeRequest) -> str:
        return APIClient.objects.get(pk=change.result).client_id


class APIClientKind(_MakesClientSecret):
    """A new API client of a partner. Whoever proposed it fetches its first secret, once."""

    name = "api_client"
    proposes = "consumers.add_apiclient"

    def now(self, target: Target, after: Contents) -> Contents:
        return {}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        scopes = [scope for scope in ALL_SCOPES if scope in after["scopes"]]
        if not scopes or set(after["scopes"]) - set(scopes):
            raise NotAChange({"scopes": ["Choose what the client may do."]})
        row = APIClient(partner=target.partner, name=after["name"], scopes=scopes)
        valid(row, exclude=["client_id"])
        return {"name": row.name, "scopes": scopes}

    def label(self, target: Target, after: Contents) -> str:
        return f"API client “{after['name']}” of {target.partner.name}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        target, after = Target(change.partner_id, ""), change.after
        made = register_api_client(target.partner, name=after["name"], scopes=after["scopes"])
        return str(made.pk)


class ClientSecretKind(_MakesClientSecret):
    """Another secret of a client, which the proposer fetches once; the subject is the client."""

    name = "api_client_secret"
    proposes = "consumers.change_apiclient"

    def now(self, target: Target, after: Contents) -> Contents:
        client = _client(target)
        return {"client": client.client_id, "secrets": client.secrets.count()}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        client, secrets = _client(target), _client(target).secrets.count()
        if client.disabled_at is not None:
            raise NotAChange("The client is disabled.")
        if secrets == len(SECRET_SLOTS):
            raise NotAChange("The client has two secrets. Remove the older one first.")
        return {"client": client.client_id, "secrets": secrets + 1}

    def label(self, target: Target, after: Contents) -> str:
        return f"Another secret of “{_client(target).name}” of {target.partner.name}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        client = _client(Target(change.partner_id, change.subject))
        if client.disabled_at is not None:
            raise NotAChange("The client is disabled.")
        return str(client.pk)


def _terms(partner: Partner) -> Contents:
    return {
        "name": partner.name,
        "is_active": partner.is_active,
        "requires_idempotency_key": partner.requires_idempotency_key,
        "approval_hours": partner.approval_hours,
    }


def _is_booked(target: Target, reference: str) -> bool:
    rows = ChangeRequest.objects.filter(
        kind=FUNDING, **target.of_partner, state__in=["proposed", "applied"]
    )
    return rows.filter(after__reference__iexact=reference).exists()


def _client(target: Target) -> APIClient:
    rows = APIClient.objects.filter(pk=target.subject, **target.of_partner)
    client = rows.first()
    if client is None:
        raise NotAChange("There is no such API client.")
    return client
