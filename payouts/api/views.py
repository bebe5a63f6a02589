"""Payments over HTTP: each method reads the request's shape and makes one call inward."""

import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from consumers.api.authentication import caller_of
from consumers.api.exact_json import rendered
from consumers.api.permissions import HasScopeToRead
from consumers.api.problems import CONTENT_TYPE
from payouts import actors, queries
from payouts.api import documents, schema
from payouts.api.listing import listed, wanted
from payouts.api.problems import payment_refused_problem
from payouts.api.shapes import (
    CancelPayment,
    CreateAsked,
    QuotePayment,
    create_asked,
    preferred_wait_seconds,
)
from payouts.approvals import Source
from payouts.models import Payment
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.facts import Wish
from payouts.operations.quote_payment import quote_payment
from payouts.operations.request_payment import (
    PaymentRefused,
    PushRequest,
    Replayed,
    remember_refusal,
    replace_answer,
    request_payment,
)
from payouts.payment_record import PaymentRecord
from payouts.states import OPEN, Status

_LOOK_AGAIN_SECONDS: Final = 0.1
# For what a person has to decide, or a network is asked about: nobody notices half a second there.
_LOOK_AGAIN_LATER_SECONDS: Final = 0.5
_SOON_FINAL: Final = frozenset({Status.PENDING, Status.SUBMITTED})
_waiting_places: Final = threading.BoundedSemaphore(settings.WAITING_CALLS)


class PaymentsView(APIView):
    """All payments of the caller's partner."""

    @schema.CREATE_PAYMENT
    def post(self, request: Request) -> HttpResponse:
        """Push funds to a consumer's payment card."""
        asked = create_asked(_body(request), request.headers)
        push = _push_request(request, asked)
        try:
            answer = request_payment(push, body_of=_payment_body)
        except PaymentRefused as refused:
            return _refuse(push, refused)
        if isinstance(answer, Replayed):
            return _replay(answer)
        seconds = preferred_wait_seconds(request.headers)
        latest = _latest_within(seconds, push, answer.payment) if seconds else None
        if latest is None:
            return _json(answer.body or _payment_body(answer.payment), HTTPStatus.CREATED)
        body = _payment_body(latest)
        replace_answer(push, latest.id, body=body)
        return _json(body, HTTPStatus.CREATED, {"Preference-Applied": f"wait={seconds}"})

    @schema.LIST_PAYMENTS
    def get(self, request: Request) -> HttpResponse:
        """List payments, newest first."""
        asked = wanted(request.query_params, partner_id=caller_of(request).partner_id)
        found = listed(asked)
        envelope = asked.page.answer(
            request,
            found.records,
            count=found.count,
            id_of=lambda record: record.id,
            shown=documents.payment_document,
        )
        if asked.filters is not None:
            envelope["count_is_exact"] = found.is_exact
        return _json(rendered(envelope))


class PaymentView(APIView):
    """One payment."""

    @schema.RETRIEVE_PAYMENT
    def get(self, request: Request, payment_id: UUID) -> HttpResponse:
        """Retrieve a payment with its current status."""
        return _json(_payment_body(_record(request, payment_id)))


class CancelView(APIView):
    """Taking a payment back."""

    @schema.CANCEL_PAYMENT
    def post(self, request: Request, payment_id: UUID) -> HttpResponse:
        """Cancel a payment that has not been sent. Afterwards: 409 `not_cancelable`."""
        members = CancelPayment.read(_body(request))
        cancel_payment(
            _payment(request, payment_id),
            actor=_actor(request),
            request_id=_request_id(request),
            reason=members["reason"],
        )
        return _json(_payment_body(_record(request, payment_id)))


class EventsView(APIView):
    """The history of a payment."""

    @schema.LIST_EVENTS
    def get(self, request: Request, payment_id: UUID) -> HttpResponse:
        """List what happened to a payment, oldest first."""
        _record(request, payment_id)
        events = queries.payment_events(payment_id)
        return _json(rendered({"results": [documents.event_document(one) for one in events]}))


class QuoteView(APIView):
    """A dry run of a create."""

    permission_classes = (HasScopeToRead,)

    @schema.QUOTE_PAYMENT
    def post(self, request: Request) -> HttpResponse:
        """Say what a create would cost and need, and everything against it. Changes nothing."""
        members = QuotePayment.read(_body(request))
        wish = Wish(
            partner_id=caller_of(request).partner_id,
            consumer_ref=members["consumer_id"],
            card_id=members["external_payment_card_id"],
            amount=members["amount"],
            source=Source.API,
            key=None,
            at=timezone.now(),
        )
        quote = quote_payment(wish)
        return _json(rendered(documents.quote_document(quote)))


class BalanceView(APIView):
    """The partner's money."""

    @schema.RETRIEVE_BALANCE
    def get(self, request: Request) -> HttpResponse:
        """Show what is available to push and what is held for open payments."""
        balance = queries.partner_balance(caller_of(request).partner_id)
        return _json(rendered(documents.balance_document(balance)))


def _body(request: Request) -> Mapping[str, Any]:
    # The parser has made sure that it is an object.
    return cast(Mapping[str, Any], request.data)


def _push_request(request: Request, asked: CreateAsked) -> PushRequest:
    members = asked.members
    return PushRequest(
        partner_id=caller_of(request).partner_id,
        consumer_ref=members["consumer_id"],
        card_id=members["external_payment_card_id"],
        amount=members["amount"],
        source=Source.API,
        actor=_actor(request),
        description=members["description"],
        reference=members["reference"],
        metadata=members["metadata"],
        key=asked.key,
        request_id=_request_id(request),
    )


def _actor(request: Request) -> actors.Actor:
    caller = caller_of(request)
    return actors.api_client(caller.client_id, caller.client_name)


def _request_id(request: Request) -> str:
    return str(getattr(request, "request_id", ""))


def _refuse(push: PushRequest, refused: PaymentRefused) -> HttpResponse:
    """Answer a refusal and remember it: the key's next call hears the same."""
    problem = payment_refused_problem(refused)
    body = rendered(problem.document(push.request_id))
    earlier = remember_refusal(push, status_code=problem.status, body=body)
    if earlier is not None:
        return _replay(earlier)
    return _json(body, problem.status)


def _replay(answer: Replayed) -> HttpResponse:
    return _json(answer.body, answer.status_code, {"Idempotent-Replayed": "true"})


def _latest_within(seconds: int, push: PushRequest, payment: PaymentRecord) -> PaymentRecord | None:
    """The payment as soon as it is final, at the latest after `seconds`; None if not waited."""
    if not _waiting_places.acquire(blocking=False):
        return None
    try:
        until = time.monotonic() + seconds
        latest = payment
        while latest.status in OPEN and (left := until - time.monotonic()) > 0:
            is_soon = latest.status in _SOON_FINAL
            time.sleep(min(left, _LOOK_AGAIN_SECONDS if is_soon else _LOOK_AGAIN_LATER_SECONDS))
            latest = queries.payment_record(payment.id, partner_id=push.partner_id) or latest
        return latest
    finally:
        _waiting_places.release()


def _record(request: Request, payment_id: UUID) -> PaymentRecord:
    record = queries.payment_record(payment_id, partner_id=caller_of(request).partner_id)
    if record is None:
        raise Http404
    return record


def _payment(request: Request, payment_id: UUID) -> Payment:
    try:
        return Payment.objects.get(pk=payment_id, partner_id=caller_of(request).partner_id)
    except Payment.DoesNotExist:
        raise Http404 from None


def _payment_body(payment: PaymentRecord) -> bytes:
    return rendered(documents.payment_document(payment))


def _json(
    body: bytes, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None
) -> HttpResponse:
    content_type = "application/json" if status < HTTPStatus.BAD_REQUEST else CONTENT_TYPE
    return HttpResponse(body, status=status, content_type=content_type, headers=headers)
