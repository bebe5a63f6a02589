"""Consumers and their cards over HTTP: each method reads the request's shape and calls inward once.

Every object is looked up among those of the caller's partner, so that another's is not there (404).
"""

import contextlib
from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.http import Http404, QueryDict
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consumers import queries
from consumers.api import schema
from consumers.api.authentication import caller_of
from consumers.api.bodies import CancelAccount, CardBody, CardEdit, ConsumerBody, NoBody
from consumers.api.documents import card_document, consumer_document
from consumers.api.exact_json import as_sent
from consumers.api.parameters import PAGING, Problems, given, page_in, problems_with_names
from consumers.eligibility import eligibility_source
from consumers.models import Consumer, PaymentCard
from consumers.operations.cards import (
    EligibilityUnavailable,
    add_card,
    check_card,
    deactivate_card,
    edit_card,
)
from consumers.operations.consumers import (
    cancel_consumer_account,
    register_consumer,
    update_consumer,
)

SEARCH = "search"
LONGEST_SEARCH = 100


class ConsumersView(APIView):
    """All consumers of the caller's partner."""

    @schema.LIST_CONSUMERS
    def get(self, request: Request) -> Response:
        """List consumers, newest first."""
        parameters = given(request.query_params)
        problems = problems_with_names(parameters, known=(*PAGING, SEARCH))
        problems = {**_problems_with_search(parameters), **problems}
        page = page_in(parameters, beside=problems, alone=(SEARCH,))
        text = parameters.get(SEARCH, "")
        partner_id = caller_of(request).partner_id
        if text:
            found = queries.consumers_matching(partner_id, text)
            count, is_exact = queries.matching_count(found)
        else:
            found = queries.consumers_of(partner_id)
            count, is_exact = queries.consumer_count(partner_id), True
        document = page.answer(
            request,
            page.fetched_from(found),
            count=count,
            id_of=lambda consumer: consumer.pk,
            shown=consumer_document,
        )
        return Response({**document, "count_is_exact": is_exact} if text else document)

    @schema.CREATE_CONSUMER
    def post(self, request: Request) -> Response:
        """Register a person who can be paid."""
        members = ConsumerBody.read(_body(request))
        consumer = register_consumer(caller_of(request).partner_id, **members)
        return Response(consumer_document(consumer), status=status.HTTP_201_CREATED)


class ConsumerView(APIView):
    """One consumer."""

    @schema.RETRIEVE_CONSUMER
    def get(self, request: Request, consumer_id: UUID) -> Response:
        """Retrieve a consumer."""
        return Response(consumer_document(_consumer(request, consumer_id)))

    @schema.REPLACE_CONSUMER
    def put(self, request: Request, consumer_id: UUID) -> Response:
        """Replace what is known about a consumer; what is left out becomes empty."""
        return self._update(request, consumer_id, partial=False)

    @schema.UPDATE_CONSUMER
    def patch(self, request: Request, consumer_id: UUID) -> Response:
        """Change some of what is known about a consumer; what is left out stays."""
        return self._update(request, consumer_id, partial=True)

    def _update(self, request: Request, consumer_id: UUID, *, partial: bool) -> Response:
        consumer = _consumer(request, consumer_id)
        shown = as_sent(consumer_document(consumer))
        body = dict(_body(request))
        # A client that sends back what it read means to keep it, not to write the mask.
        masked = shown["tax_identifier"]
        keeps_tax_identifier = bool(masked) and body.get("tax_identifier") == masked
        if keeps_tax_identifier:
            del body["tax_identifier"]
        members = ConsumerBody.read(body, partial=partial, unchanged=shown)
        if keeps_tax_identifier:
            members.pop("tax_identifier", None)
        return Response(consumer_document(update_consumer(consumer, **members)))


class ConsumerByPcidView(APIView):
    """One consumer, by the partner's own id."""

    @schema.RETRIEVE_CONSUMER_BY_PCID
    def get(self, request: Request, pcid: str) -> Response:
        """Retrieve a consumer by your own id."""
        consumers = queries.consumers_of(caller_of(request).partner_id)
        consumer = None if "\0" in pcid else consumers.filter(pcid=pcid).first()
        if consumer is None:
            raise Http404
        return Response(consumer_document(consumer))


class CancelAccountView(APIView):
    """Closing a consumer's account."""

    @schema.CANCEL_ACCOUNT
    def post(self, request: Request, consumer_id: UUID) -> Response:
        """Close a consumer's account for good: no more cards, changes or payments."""
        members = CancelAccount.read(_body(request))
        consumer = cancel_consumer_account(
            _consumer(request, consumer_id),
            reason=members["cancellation_reason"],
            details=members["details"],
        )
        return Response(consumer_document(consumer))


class ConsumerCardsView(APIView):
    """The cards of one consumer."""

    @schema.LIST_CARDS
    def get(self, request: Request, consumer_id: UUID) -> Response:
        """List a consumer's cards, newest first."""
        consumer = _consumer(request, consumer_id)
        parameters = given(request.query_params)
        page = page_in(parameters, beside=problems_with_names(parameters, known=PAGING))
        cards = queries.cards_of(consumer.partner_id).filter(consumer_id=consumer.pk)
        today = timezone.now().date()
        document = page.answer(
            request,
            page.fetched_from(cards),
            count=cards.count(),
            id_of=lambda card: card.pk,
            shown=lambda card: card_document(card, on=today),
        )
        return Response(document)

    @schema.ADD_CARD
    def post(self, request: Request, consumer_id: UUID) -> Response:
        """Add a card: 201, or 200 with the existing card if the consumer has this number already.

        The network is asked once whether it can be pushed to; `push` is empty if it cannot say.
        """
        consumer = _consumer(request, consumer_id)
        added = add_card(consumer, **CardBody.read(_body(request)))
        if not added.is_new:
            return _card_answer(added.card)
        with contextlib.suppress(EligibilityUnavailable):
            check_card(added.card, source=eligibility_source())
        return _card_answer(added.card, status.HTTP_201_CREATED)


class CardView(APIView):
    """One card."""

    @schema.RETRIEVE_CARD
    def get(self, request: Request, card_id: UUID) -> Response:
        """Retrieve a card."""
        return _card_answer(_card(request, card_id))

    @schema.EDIT_CARD
    def patch(self, request: Request, card_id: UUID) -> Response:
        """Change what is noted with a card. Its number never changes: add a new card instead."""
        card = _card(request, card_id)
        shown = as_sent(card_document(card, on=timezone.now().date()))
        members = CardEdit.read(_body(request), partial=True, unchanged=shown)
        return _card_answer(edit_card(card, **members))

    @schema.DEACTIVATE_CARD
    def delete(self, request: Request, card_id: UUID) -> Response:
        """Take a card out of use for good. It stays readable as `inactive`: payments name it."""
        deactivate_card(_card(request, card_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CheckCardView(APIView):
    """Asking the network about a card."""

    @schema.CHECK_CARD
    def post(self, request: Request, card_id: UUID) -> Response:
        """Ask the card's network again whether the card can be pushed to."""
        NoBody.read(_body(request))
        card = _card(request, card_id, with_number=True)
        return _card_answer(check_card(card, source=eligibility_source()))


def _body(request: Request) -> Mapping[str, Any]:
    # The parser has made sure that it is an object.
    return cast(Mapping[str, Any], request.data)


def _problems_with_search(parameters: QueryDict) -> Problems:
    if len(parameters.get(SEARCH, "")) <= LONGEST_SEARCH:
        return {}
    message = f"A search has at most {LONGEST_SEARCH} characters."
    return {SEARCH: [ErrorDetail(message, "invalid_search")]}


def _consumer(request: Request, consumer_id: UUID) -> Consumer:
    consumers = queries.consumers_of(caller_of(request).partner_id)
    consumer = consumers.filter(pk=consumer_id).first()
    if consumer is None:
        raise Http404
    return consumer


def _card(request: Request, card_id: UUID, *, with_number: bool = False) -> PaymentCard:
    cards = queries.cards_of(caller_of(request).partner_id)
    card = (cards.defer(None) if with_number else cards).filter(pk=card_id).first()
    if card is None:
        raise Http404
    return card


def _card_answer(card: PaymentCard, code: int = status.HTTP_200_OK) -> Response:
    return Response(card_document(card, on=timezone.now().date()), status=code)
