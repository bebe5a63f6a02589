"""How the refusals of payment operations look over HTTP, for the table in `config/rest.py`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from consumers.api.problems import FieldError, Problem, refusal
from payouts.api.shapes import KEY_HEADER
from payouts.operations.cancel_payment import NotCancelable
from payouts.operations.request_payment import (
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    PaymentRefused,
    RequestInProgress,
)
from payouts.operations.webhook_endpoints import TooManyWebhooks, WebhookDisabled, WebhookRemoved
from payouts.webhooks.addresses import NotAWebhookURL


def payment_refused_problem(refused: PaymentRefused) -> Problem:
    """422 with every reason; its code is theirs if they share one, else `payment_refused`."""
    codes = {reason.code for reason in refused.reasons}
    return Problem(
        status=422,
        code=codes.pop() if len(codes) == 1 else "payment_refused",
        title="The payment cannot be made.",
        detail=" ".join(reason.message for reason in refused.reasons),
        errors=[
            FieldError(reason.field, reason.code, reason.message) for reason in refused.reasons
        ],
        members=_limits(refused),
    )


def _limits(refused: PaymentRefused) -> dict[str, object]:
    """The limits that would be broken, by name, for clients that act on them."""
    broken = [reason.details for reason in refused.reasons if reason.details is not None]
    return {"limits": broken} if broken else {}


def _key_required(_: IdempotencyKeyRequired) -> Problem:
    return Problem(
        status=400,
        code="idempotency_key_required",
        title="An Idempotency-Key is required.",
        errors=[FieldError(KEY_HEADER, "required", "Send a key of your own, once per push.")],
    )


def _key_reused(_: IdempotencyKeyReused) -> Problem:
    return Problem(
        status=422,
        code="idempotency_key_reused",
        title="The Idempotency-Key was used for another request.",
        errors=[FieldError(KEY_HEADER, "idempotency_key_reused", "Use a new key for a new push.")],
    )


def _in_progress(_: RequestInProgress) -> Problem:
    return Problem(
        status=409,
        code="request_in_progress",
        title="The first call with this key is still running.",
        detail="Send the same request again after a moment: it gets the first call's answer.",
        headers={"Retry-After": "1"},
    )


def _not_cancelable(refused: NotCancelable) -> Problem:
    return Problem(
        status=409,
        code="not_cancelable",
        title="The payment cannot be canceled any more.",
        detail=f"Its status is {refused.status.value}.",
        members={"payment_status": refused.status.value},
    )


PAYMENT_PROBLEMS: Final[Mapping[type[Exception], Callable[[Any], Problem]]] = {
    PaymentRefused: payment_refused_problem,
    IdempotencyKeyRequired: _key_required,
    IdempotencyKeyReused: _key_reused,
    RequestInProgress: _in_progress,
    NotCancelable: _not_cancelable,
    NotAWebhookURL: refusal(
        400, "invalid_webhook_url", "This cannot be the address of a webhook.", field="url"
    ),
    TooManyWebhooks: refusal(422, "too_many_webhooks", "There are too many webhooks."),
    WebhookRemoved: refusal(409, "webhook_removed", "The webhook was removed meanwhile."),
    WebhookDisabled: refusal(422, "webhook_disabled", "The webhook is switched off."),
}
