"""Real rows for generated requests to hit."""

from dataclasses import dataclass
from typing import Any

from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation

from consumers.models import PaymentCard
from consumers.operations.cards import CardEligibility
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.webhook_endpoints import add_webhook
from tests.builders import MASTERCARD_NUMBER, make_api_client, make_token
from tests.pushes import make_funded_partner, make_payee, push

YEAR = 2039
URL = "https://hooks.test-partner.com/payouts"
ELIGIBILITY = "tests.api_fuzz.cast.fast_funds"


def fast_funds(card: PaymentCard) -> CardEligibility:
    """Every card can be pushed to."""
    return CardEligibility(eligible=True, speed="fast_funds", card_type="debit")


@dataclass(frozen=True)
class Cast:
    """A partner with money, its token, and the ids of what it has."""

    token: str
    ids: dict[str, str]

    def step_into(self, case: Case[Any]) -> None:
        """Put ids that exist into the parts of the request that are as the schema wants them."""
        if is_good(case, ParameterLocation.PATH):
            for name in self.ids.keys() & case.path_parameters.keys():
                case.path_parameters[name] = self.ids[name]
        self.step_into_body(case)

    def step_into_body(self, case: Case[Any]) -> None:
        """The same, and what a schema cannot say: check digits, known networks, this month."""
        if not is_good(case, ParameterLocation.BODY) or not isinstance(case.body, dict):
            return
        real: dict[str, Any] = {
            "consumer_id": self.ids["consumer_id"],
            "external_payment_card_id": self.ids["external_payment_card_id"],
            "number": MASTERCARD_NUMBER,
            "expiration_year": YEAR,
            "url": URL,
            "event_ids": [self.ids["event_id"]],
        }
        for name in real.keys() & case.body.keys():
            case.body[name] = real[name]


def is_good(case: Case[Any], location: ParameterLocation) -> bool:
    """Whether that part of the request was made as the schema wants it."""
    component = case.meta.components.get(location) if case.meta else None
    return component is not None and component.mode.is_positive


def make_cast() -> Cast:
    partner = make_funded_partner(dollars="10000000.00")
    card = make_payee(partner=partner)
    payment = push(card, amount="5.00")
    client = make_api_client(partner=partner).client
    follow_outbox()
    return Cast(
        make_token(client=client),
        {
            "payment_id": str(payment.pk),
            "external_payment_card_id": str(card.pk),
            "consumer_id": str(card.consumer_id),
            "card_id": str(card.pk),
            "pcid": card.consumer.pcid,
            "webhook_id": str(add_webhook(partner.pk, url=URL).endpoint.pk),
            "event_id": f"evt_{payment.pk.hex}_1",
        },
    )
