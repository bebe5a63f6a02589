"""Rotating keys while the product runs: everything opens before, meanwhile and afterwards."""

import base64
from collections.abc import Sequence
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from consumers.cards import Pan
from consumers.models import Consumer, PaymentCard
from consumers.operations import rotate_keys as operation
from consumers.operations.cards import add_card
from consumers.operations.consumers import register_consumer
from consumers.operations.rotate_keys import (
    Remaining,
    Rotation,
    remaining_under_old_keys,
    rotate_keys,
)
from consumers.vault import SealedCard, fingerprint, key_ring_from_settings, unseal, unseal_text
from tests.builders import VISA_NUMBER, make_card, make_consumer, make_partner
from tests.consumers.card_numbers import MASTERCARD, MASTERCARD_2_SERIES, VISA, VISA_DEBIT
from tests.racing import race, returned

pytestmark = pytest.mark.django_db

NUMBERS = (VISA, VISA_DEBIT, MASTERCARD, MASTERCARD_2_SERIES)


def keys(*ids: str) -> str:
    """Keys as the settings hold them; the id makes the key."""
    made = (base64.b64encode(key_id.encode().ljust(32, b".")).decode() for key_id in ids)
    return ",".join(f"{key_id}:{key}" for key_id, key in zip(ids, made, strict=True))


def use_keys(settings: Any, *keks: str, fingerprints: Sequence[str] = ("fp1",)) -> None:
    settings.CARD_ENCRYPTION_KEYS = keys(*keks)
    settings.CARD_FINGERPRINT_KEYS = keys(*fingerprints)


@pytest.fixture(autouse=True)
def _old_keys(settings: Any) -> None:
    use_keys(settings, "kek1")


@pytest.fixture
def cards() -> list[PaymentCard]:
    return [make_card(number=number) for number in NUMBERS]


def rotate(settings: Any, *, drop_old: bool = False) -> Rotation:
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    rotation = rotate_keys(told=lambda _: None)
    if drop_old:
        use_keys(settings, "kek2", fingerprints=("fp2",))
    return rotation


def number_of(card: PaymentCard) -> str:
    stored = PaymentCard.objects.get(pk=card.pk)
    sealed = SealedCard(stored.kek_id, bytes(stored.wrapped_key), bytes(stored.ciphertext))
    ring = key_ring_from_settings()
    return unseal(sealed, card_id=card.pk, partner_id=card.partner_id, ring=ring).reveal()


def key_ids() -> set[tuple[str, str]]:
    return set(PaymentCard.objects.values_list("kek_id", "fingerprint_key_id"))


def command(*words: str) -> str:
    out = StringIO()
    call_command("rotate_card_keys", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


def refusal(*words: str) -> str:
    with pytest.raises(CommandError) as raised:
        command(*words)
    assert raised.value.returncode == 1
    return str(raised.value)


def spoil(card: PaymentCard) -> None:
    PaymentCard.objects.filter(pk=card.pk).update(wrapped_key=b"\x01" + bytes(60))


def test_moves_every_card_and_needs_the_old_keys_no_more(
    cards: list[PaymentCard], settings: Any
) -> None:
    rotation = rotate(settings, drop_old=True)
    assert (rotation.cards, rotation.is_clean) == (len(cards), True)
    assert key_ids() == {("kek2", "fp2")}
    assert [number_of(card) for card in cards] == list(NUMBERS)


def test_a_moved_card_is_found_by_its_new_fingerprint(
    cards: list[PaymentCard], settings: Any
) -> None:
    rotate(settings, drop_old=True)
    ring = key_ring_from_settings()
    for card in cards:
        digest = fingerprint(Pan(number_of(card)), partner_id=card.partner_id, ring=ring).digest
        assert bytes(PaymentCard.objects.get(pk=card.pk).fingerprint) == digest


def test_the_same_card_again_is_still_the_same_card(settings: Any) -> None:
    card = make_card()
    rotate(settings)
    again = add_card(card.consumer, number=VISA_NUMBER, expiration_month=1, expiration_year=2039)
    assert (again.is_new, again.card.pk) == (False, card.pk)


def test_moves_the_wrapping_key_alone_without_the_number(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the number was opened")

    use_keys(settings, "kek2", "kek1")
    monkeypatch.setattr(operation, "unseal", refuse)
    assert rotate_keys(told=lambda _: None).cards == len(cards)
    assert key_ids() == {("kek2", "fp1")}


def test_changes_nothing_that_a_person_sees(settings: Any) -> None:
    card = make_card()
    card.refresh_from_db()
    rotate(settings)
    moved = PaymentCard.objects.get(pk=card.pk)
    for name in ("ciphertext", "updated_at", "edited_by_user_id", "status", "last4", "bin"):
        assert getattr(moved, name) == getattr(card, name)


def test_a_second_run_moves_nothing(cards: list[PaymentCard], settings: Any) -> None:
    rotate(settings)
    before = list(PaymentCard.objects.order_by("pk").values_list("wrapped_key", flat=True))
    assert rotate(settings).cards == 0
    after = list(PaymentCard.objects.order_by("pk").values_list("wrapped_key", flat=True))
    assert [bytes(key) for key in after] == [bytes(key) for key in before]


@pytest.mark.django_db(transaction=True)
def test_goes_on_after_a_kill(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Rotation) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(operation, "BATCH", 2)
    use_keys(settings, "kek2", "kek1")
    with pytest.raises(KeyboardInterrupt):
        rotate_keys(told=die)
    assert remaining_under_old_keys() == Remaining(cards=2, tax_identifiers=0)
    assert [number_of(card) for card in cards] == list(NUMBERS)
    assert rotate_keys(told=lambda _: None).cards == 2


def test_finds_cards_that_are_added_meanwhile_under_the_old_key(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has not heard of the new key yet goes on adding cards."""
    make_card()

    def add_one_more(rotation: Rotation) -> None:
        if rotation.cards == 1:
            use_keys(settings, "kek1")
            make_card()
            use_keys(settings, "kek2", "kek1")

    use_keys(settings, "kek2", "kek1")
    assert rotate_keys(told=add_one_more).cards == 2
    assert remaining_under_old_keys().cards == 0


def test_goes_round_again_for_what_was_passed_over(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = PaymentCard.objects.get(pk=cards[0].pk)

    def come_late(rotation: Rotation) -> None:
        if rotation.cards == 2:
            first.save(update_fields=["kek_id", "wrapped_key"])

    monkeypatch.setattr(operation, "BATCH", 1)
    use_keys(settings, "kek2", "kek1")
    assert rotate_keys(told=come_late).cards == len(cards) + 1
    assert remaining_under_old_keys().cards == 0


@pytest.mark.django_db(transaction=True)
def test_passes_over_a_card_that_somebody_holds(cards: list[PaymentCard], settings: Any) -> None:
    use_keys(settings, "kek2", "kek1")
    with transaction.atomic():
        PaymentCard.objects.select_for_update().get(pk=cards[1].pk)
        (told,) = returned(race([refusal]))
    assert "run this again" in told
    assert remaining_under_old_keys().cards == 1
    assert "1 cards and 0 tax identifiers moved" in command()


@pytest.mark.django_db(transaction=True)
def test_two_rotations_at_once_move_each_card_once(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operation, "BATCH", 1)
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    rotations = returned(race([lambda: rotate_keys(told=lambda _: None)] * 2))
    assert sum(rotation.cards for rotation in rotations) == len(cards)
    assert remaining_under_old_keys().cards == 0


def test_moves_the_others_and_names_what_does_not_open(
    cards: list[PaymentCard], settings: Any
) -> None:
    spoil(cards[2])
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    told = refusal()
    assert told == f"Cards that cannot be opened: {cards[2].pk}"
    assert remaining_under_old_keys().cards == 1
    assert [number_of(card) for card in (cards[0], cards[1], cards[3])] == [
        VISA,
        VISA_DEBIT,
        MASTERCARD_2_SERIES,
    ]


def test_says_no_digits_of_a_number(
    cards: list[PaymentCard], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(cards[0])
    use_keys(settings, "kek2", "kek1")
    out = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("rotate_card_keys", stdout=out)
    said = f"{out.getvalue()} {raised.value} {capsys.readouterr()}"
    assert all(number[-4:] not in said.replace(str(cards[0].pk), "") for number in NUMBERS)


def test_names_cards_whose_key_is_gone(cards: list[PaymentCard], settings: Any) -> None:
    use_keys(settings, "kek2")
    told = refusal()
    assert all(str(card.pk) in told for card in cards)
    use_keys(settings, "kek1")
    assert [number_of(card) for card in cards] == list(NUMBERS)


def test_a_number_that_a_consumer_has_twice_is_named_and_stays(settings: Any) -> None:
    consumer = make_consumer()
    older = make_card(consumer=consumer)
    other = make_card(consumer=consumer, number=MASTERCARD)
    use_keys(settings, "kek1", fingerprints=("fp2",))
    make_card(consumer=consumer)
    use_keys(settings, "kek1", fingerprints=("fp2", "fp1"))
    assert f"under the current key already: {older.pk}" in refusal()
    assert PaymentCard.objects.get(pk=other.pk).fingerprint_key_id == "fp2"
    assert number_of(older) == VISA_NUMBER


def test_a_dry_run_opens_everything_and_writes_nothing(
    cards: list[PaymentCard], settings: Any
) -> None:
    before = key_ids()
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    assert "4 cards and 0 tax identifiers can be moved" in command("--dry-run")
    assert key_ids() == before
    spoil(cards[0])
    assert str(cards[0].pk) in refusal("--dry-run")
    assert key_ids() == before


def test_says_how_many_remain(cards: list[PaymentCard], settings: Any) -> None:
    use_keys(settings, "kek2", "kek1")
    begun, others, moved, left = command().splitlines()
    assert begun.endswith("Under others: 4 cards, 0 tax identifiers.")
    assert others == "0 webhook secrets moved."
    assert moved == "4 cards and 0 tax identifiers moved."
    assert left == "Under other keys now: 0 cards, 0 tax identifiers."


def test_refuses_keys_that_make_no_sense(cards: list[PaymentCard], settings: Any) -> None:
    settings.CARD_ENCRYPTION_KEYS = "kek2:abc"
    assert "CARD_ENCRYPTION_KEYS" in refusal()
    assert key_ids() == {("kek1", "fp1")}


def tax_identifier_of(consumer_id: UUID) -> str:
    consumer = Consumer.objects.get(pk=consumer_id)
    assert consumer.tax_identifier_sealed is not None
    place = f"consumer|{consumer.pk}|{consumer.partner_id}|tax_identifier"
    sealed = bytes(consumer.tax_identifier_sealed)
    return unseal_text(sealed, bound_to=place, ring=key_ring_from_settings())


def test_moves_tax_identifiers_too(settings: Any) -> None:
    partner = make_partner()
    with_one = register_consumer(partner.pk, pcid="a", tax_identifier="000-12-3456")
    register_consumer(partner.pk, pcid="b")
    use_keys(settings, "kek2", "kek1")
    assert remaining_under_old_keys() == Remaining(cards=0, tax_identifiers=1)
    assert "0 cards and 1 tax identifiers moved" in command()
    use_keys(settings, "kek2")
    assert tax_identifier_of(with_one.pk) == "000-12-3456"


def test_names_consumers_whose_tax_identifier_does_not_open(settings: Any) -> None:
    partner = make_partner()
    broken = register_consumer(partner.pk, pcid="a", tax_identifier="000-12-3456")
    sound = register_consumer(partner.pk, pcid="b", tax_identifier="000-65-4321")
    Consumer.objects.filter(pk=broken.pk).update(tax_identifier_sealed=b"kek1|" + bytes(40))
    use_keys(settings, "kek2", "kek1")
    told = refusal()
    assert told == f"Consumers whose tax identifier cannot be opened: {broken.pk}"
    assert tax_identifier_of(sound.pk) == "000-65-4321"


def test_a_key_whose_id_begins_like_the_current_one_is_another(settings: Any) -> None:
    use_keys(settings, "kek10")
    consumer = register_consumer(make_partner().pk, pcid="a", tax_identifier="000-12-3456")
    use_keys(settings, "kek1", "kek10")
    assert remaining_under_old_keys().tax_identifiers == 1
    assert "1 tax identifiers moved" in command()
    assert tax_identifier_of(consumer.pk) == "000-12-3456"


def test_asks_for_one_batch_in_few_statements(
    cards: list[PaymentCard], settings: Any, django_assert_max_num_queries: Any
) -> None:
    use_keys(settings, "kek2", "kek1")
    # Savepoint, look, savepoint, store, both released; then a look that finds nothing, for cards
    # twice (the round and one more) and for tax identifiers once; and the entry in the trail.
    with django_assert_max_num_queries(16):
        rotate_keys(told=lambda _: None)
