"""Who and what the demo is played with: a partner, its money and terms, an API client, staff.

Everything is made as it is in earnest, and only where it is missing, so that a second run finds
what the first one made.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import Group, User
from django.db import transaction

from config.demo.files import read_if_there, write_private
from config.demo.people import check_new_cards, prepare_people
from consumers.models import APIClient, Partner
from consumers.operations.api_clients import (
    WrongClientCredentials,
    client_with_credentials,
    create_api_client,
    disable_api_client,
)
from payouts.actors import COMMAND_LINE
from payouts.limits import Scope
from payouts.models import ApprovalRule, FeeSchedule, Limit
from payouts.operations.partners import create_partner, fund_partner
from payouts.operations.second_factors import changing_factors
from payouts.staff import ROLES

PARTNER: Final = "Demo Partner"
CLIENT: Final = "Demo client"
FUNDS: Final = Decimal(50_000_000)
# Wide enough for whoever tries how much the product can take.
LIMITS: Final[Mapping[Scope, Mapping[str, Any]]] = {
    Scope.PUSH: {"max_amount": Decimal(50_000)},
    Scope.CARD_DAY: {"max_amount": Decimal(10_000_000), "max_count": 1_000_000},
    Scope.CONSUMER_DAY: {"max_amount": Decimal(10_000_000), "max_count": 1_000_000},
    Scope.PARTNER_DAY: {"max_amount": Decimal(50_000_000)},
}
FEE: Final = {
    "fixed": Decimal("0.25"),
    "basis_points": 25,
    "minimum": Decimal("0.30"),
    "maximum": Decimal("25.00"),
}
NEEDS_APPROVAL_FROM: Final = Decimal(5_000)
PASSWORD_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class StaffMember:
    username: str
    role: str
    password: str = field(repr=False)
    # What an authenticator app would be told: the secret of its codes.
    totp_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cast:
    """What a person or a script needs to know to play, with the secrets."""

    client_id: str
    client_secret: str = field(repr=False)
    consumer_id: str
    card_id: str
    staff: tuple[StaffMember, ...]


def prepare_cast(kept: Path) -> Cast:
    """Make what is missing. `kept` is the file that keeps the demo's secrets between runs."""
    known = read_if_there(kept)
    with transaction.atomic():
        partner = Partner.objects.filter(name=PARTNER).first() or _new_partner()
        card = prepare_people(partner)
        client_id, client_secret = _api_client(partner, known)
        passwords = known.get("passwords", {})
        staff = tuple(_staff_member(role.name, passwords.get(role.name)) for role in ROLES)
    # Outside of the transaction: this waits for the network.
    check_new_cards(partner)
    write_private(
        kept,
        {
            "client_id": client_id,
            "client_secret": client_secret,
            "passwords": {member.username: member.password for member in staff},
        },
    )
    return Cast(client_id, client_secret, str(card.consumer_id), str(card.id), staff)


def _new_partner() -> Partner:
    partner = create_partner(PARTNER)
    FeeSchedule.objects.create(partner=partner, **FEE)
    Limit.objects.bulk_create(
        Limit(partner=partner, scope=scope, **bounds) for scope, bounds in LIMITS.items()
    )
    ApprovalRule.objects.create(
        partner=partner,
        name=f"{PARTNER}: 5,000 USD and more",
        amount_at_least=NEEDS_APPROVAL_FROM,
    )
    fund_partner(partner, FUNDS, actor=COMMAND_LINE)
    return partner


def _api_client(partner: Partner, known: Mapping[str, Any]) -> tuple[str, str]:
    """The client of the last run if its secret still opens, else a new one in its place."""
    client_id, secret = str(known.get("client_id", "")), str(known.get("client_secret", ""))
    try:
        client_with_credentials(client_id, secret)
    except WrongClientCredentials:
        for lost in APIClient.objects.filter(partner=partner, name=CLIENT, disabled_at=None):
            disable_api_client(lost)
        made = create_api_client(partner, name=CLIENT)
        return made.client.client_id, made.secret
    return client_id, secret


def _staff_member(role: str, password: str | None) -> StaffMember:
    """A person who signs in under the name of the role. A password that is lost is made anew."""
    user, _ = User.objects.get_or_create(
        username=role,
        defaults={
            "is_staff": True,
            "first_name": "Demo",
            "last_name": role.capitalize(),
            "email": f"{role}@example.com",
        },
    )
    if password is None or not user.check_password(password):
        # With a letter and a digit, as the rules for passwords ask.
        password = f"{secrets.token_urlsafe(PASSWORD_BYTES)}-x7"
        user.set_password(password)
        user.save(update_fields=["password"])
    user.groups.set(Group.objects.filter(name=role))
    return StaffMember(role, role, password, _second_factor(user))


def _second_factor(user: User) -> str:
    """The secret of the person's authenticator app, which is set up where there is none."""
    with changing_factors(user):
        app = Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).first()
        if app is None:
            app = TOTP.activate(user, generate_totp_secret()).instance
            RecoveryCodes.activate(user)
    return str(decrypt(app.data["secret"]))
