"""What two callers at the same instant may rely on."""

from collections.abc import Callable
from functools import partial

import pytest

from consumers.models import APIClientSecret, Consumer, PaymentCard
from consumers.operations.api_clients import (
    TwoSecretsAlready,
    add_client_secret,
    remove_client_secret,
)
from consumers.operations.cards import AddedCard, add_card
from consumers.operations.consumers import ConsumerExists, register_consumer, update_consumer
from tests.builders import (
    VISA_NUMBER,
    make_api_client,
    make_consumer,
    make_http_client,
    make_partner,
)
from tests.racing import race, raised, returned

pytestmark = pytest.mark.django_db(transaction=True)

RUNNERS = 8


def test_one_of_many_registers_a_pcid_and_the_others_learn_whose_it_is() -> None:
    partner = make_partner()

    def register() -> Consumer:
        return register_consumer(partner.pk, pcid="abc123")

    ends = race([register] * RUNNERS)
    assert raised(ends, ConsumerExists) == RUNNERS - 1
    [consumer] = Consumer.objects.all()
    assert {end.consumer_id for end in ends if isinstance(end, ConsumerExists)} == {consumer.pk}


def test_one_of_two_requests_creates_and_the_other_conflicts() -> None:
    partner = make_partner()
    http = [make_http_client(partner=partner) for _ in range(2)]

    def create(place: int) -> Callable[[], int]:
        return lambda: http[place].post("/v2/consumers/", {"pcid": "abc123"}).status_code

    assert sorted(returned(race([create(0), create(1)]))) == [201, 409]


def test_one_of_many_stores_a_card_and_all_get_it() -> None:
    consumer = make_consumer()

    def add() -> AddedCard:
        return add_card(consumer, number=VISA_NUMBER, expiration_month=12, expiration_year=2039)

    added = returned(race([add] * RUNNERS))
    [card] = PaymentCard.objects.all()
    assert {one.card.pk for one in added} == {card.pk}
    assert sum(one.is_new for one in added) == 1


def test_changes_of_different_fields_lose_nothing_of_each_other() -> None:
    consumer = make_consumer()
    copies = [Consumer.objects.get() for _ in range(2)]
    race(
        [
            lambda: update_consumer(copies[0], email="new@example.com"),
            lambda: update_consumer(copies[1], address_city="Springfield"),
        ]
    )
    consumer.refresh_from_db()
    assert (consumer.email, consumer.address_city) == ("new@example.com", "Springfield")


def test_a_client_never_gets_a_third_secret() -> None:
    client = make_api_client().client
    ends = race([lambda: add_client_secret(client)] * RUNNERS)
    assert raised(ends, TwoSecretsAlready) == RUNNERS - 1
    assert APIClientSecret.objects.count() == 2


def test_a_client_never_loses_both_secrets() -> None:
    client = make_api_client().client
    add_client_secret(client)
    race([partial(remove_client_secret, client, slot=slot) for slot in (1, 2)])
    assert APIClientSecret.objects.count() == 1
