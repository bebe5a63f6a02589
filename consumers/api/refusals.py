"""How the refusals of operations on consumers and cards look over HTTP, for `config/rest.py`."""

from collections.abc import Mapping
from typing import Final

from consumers.api.problems import Problem, ProblemOf, refusal
from consumers.operations.cards import (
    CardExpired,
    CardInactive,
    CardNotAcceptable,
    EligibilityUnavailable,
)
from consumers.operations.consumers import ConsumerExists, ConsumerInactive

RETRY_AFTER_SECONDS: Final = 60


def _consumer_exists(refused: ConsumerExists) -> Problem:
    title = "There is a consumer with this pcid already."
    return Problem(
        status=409, code="consumer_exists", title=title, members={"id": refused.consumer_id}
    )


def _eligibility_unavailable(_: EligibilityUnavailable) -> Problem:
    return Problem(
        status=422,
        code="eligibility_unavailable",
        title="The card network could not say now whether this card can be pushed to.",
        detail="Nothing has changed. Ask again later.",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


CONSUMER_PROBLEMS: Final[Mapping[type[Exception], ProblemOf]] = {
    ConsumerExists: _consumer_exists,
    ConsumerInactive: refusal(422, "consumer_inactive", "The consumer's account is canceled."),
    CardExpired: refusal(422, "card_expired", "The card has expired."),
    CardNotAcceptable: refusal(400, "invalid_request", "The request is not valid."),
    CardInactive: refusal(422, "card_inactive", "The card was taken out of use."),
    EligibilityUnavailable: _eligibility_unavailable,
}
