"""Rotating keys while the product runs: everything opens before, meanwhile and afterwards."""

from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction

from consumers.cards import Pan
from consumers.models import Consumer, PaymentCard
from consumers.operations import reseal_cards as operation
from consumers.operations.cards import add_card
from consumers.operations.consumers import register_consumer
from consumers.operations.reseal_cards import CARDS
from consumers.operations.rotate_keys import Rotation, remaining_under_old_keys, rotate_keys
from consumers.vault import SealedCard, fingerprint, key_ring_from_settings, unseal, unseal_text
from payouts.operations.sealed_kinds import SEALED_KINDS
from tests.builders import VISA_NUMBER, make_card, make_consumer, make_partner
from tests.consumers.card_numbers import MASTERCARD, MASTERCARD_2_SERIES, VISA, VISA_DEBIT
from tests.racing import race, returned
from tests.vault_keys import use_keys

pytestmark = pytest.mark.django_db

NUMBERS = (VISA, VISA_DEBIT, MASTERCARD, MASTERCARD_2_SERIES)


@pytest.fixture(autouse=True)
def _old_keys(settings: Any) -> None:
    use_keys(settings, "kek1")


@pytest.fixture
def cards() -> list[PaymentCard]:
    return [make_card(number=number) for number in NUMBERS]


def rotate(settings: Any, *, drop_old: bool = False) -> Rotation:
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    rotation = rotate_keys(SEALED_KINDS, told=lambda _: None)
    if drop_old:
        use_keys(settings, "kek2", fingerprints=("fp2",))
    return rotation


def number_of(card: PaymentCard) -> str:
    stored = PaymentCard.objects.get(pk=card.pk)
    sealed = SealedCard(stored.kek_id, bytes(stored.wrapped_key), bytes(stored.ciphertext))
    ring = key_ring_from_settings()
    return unseal(sealed, card_id=card.pk, partner_id=card.partner_id, ring=ring).reveal()


def remaining(kind: str) -> int:
    return remaining_under_old_keys(SEALED_KINDS)[kind]


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
    assert (rotation.moved["cards"], rotation.is_clean) == (len(cards), True)
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
    assert rotate_keys(SEALED_KINDS, told=lambda _: None).moved["cards"] == len(cards)
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
    assert rotate(settings).moved["cards"] == 0
    after = list(PaymentCard.objects.order_by("pk").values_list("wrapped_key", flat=True))
    assert [bytes(key) for key in after] == [bytes(key) for key in before]


@pytest.mark.django_db(transaction=True)
def test_goes_on_after_a_kill(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Rotation) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(CARDS, "rows_at_once", 2)
    use_keys(settings, "kek2", "kek1")
    with pytest.raises(KeyboardInterrupt):
        rotate_keys(SEALED_KINDS, told=die)
    assert remaining("cards") == 2
    assert [number_of(card) for card in cards] == list(NUMBERS)
    assert rotate_keys(SEALED_KINDS, told=lambda _: None).moved["cards"] == 2


def test_finds_cards_that_are_added_meanwhile_under_the_old_key(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that has not heard of the new key yet goes on adding cards."""
    make_card()

    def add_one_more(rotation: Rotation) -> None:
        if rotation.moved["cards"] == 1:
            use_keys(settings, "kek1")
            make_card()
            use_keys(settings, "kek2", "kek1")

    use_keys(settings, "kek2", "kek1")
    assert rotate_keys(SEALED_KINDS, told=add_one_more).moved["cards"] == 2
    assert remaining("cards") == 0


def test_goes_round_again_for_what_was_passed_over(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = PaymentCard.objects.get(pk=cards[0].pk)

    def come_late(rotation: Rotation) -> None:
        if rotation.moved["cards"] == 2:
            first.save(update_fields=["kek_id", "wrapped_key"])

    monkeypatch.setattr(CARDS, "rows_at_once", 1)
    use_keys(settings, "kek2", "kek1")
    assert rotate_keys(SEALED_KINDS, told=come_late).moved["cards"] == len(cards) + 1
    assert remaining("cards") == 0


@pytest.mark.django_db(transaction=True)
def test_passes_over_a_card_that_somebody_holds(cards: list[PaymentCard], settings: Any) -> None:
    use_keys(settings, "kek2", "kek1")
    with transaction.atomic():
        PaymentCard.objects.select_for_update().get(pk=cards[1].pk)
        (told,) = returned(race([refusal]))
    assert "run this again" in told
    assert remaining("cards") == 1
    assert "Moved: 0 second factors, 1 cards, " in command()


@pytest.mark.django_db(transaction=True)
def test_two_rotations_at_once_move_each_card_once(
    cards: list[PaymentCard], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CARDS, "rows_at_once", 1)
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    rotations = returned(race([lambda: rotate_keys(SEALED_KINDS, told=lambda _: None)] * 2))
    assert sum(rotation.moved["cards"] for rotation in rotations) == len(cards)
    assert remaining("cards") == 0


def test_moves_the_others_and_names_what_does_not_open(
    cards: list[PaymentCard], settings: Any
) -> None:
    spoil(cards[2])
    use_keys(settings, "kek2", "kek1", fingerprints=("fp2", "fp1"))
    told = refusal()
    assert told == f"Cards that cannot be opened: {cards[2].pk}"
    assert remaining("cards") == 1
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
    assert "Can be moved: 0 second factors, 4 cards, " in command("--dry-run")
    assert key_ids() == before
    spoil(cards[0])
    assert str(cards[0].pk) in refusal("--dry-run")
    assert key_ids() == before


def test_says_how_many_remain(cards: list[PaymentCard], settings: Any) -> None:
    use_keys(settings, "kek2", "kek1")
    begun, moved, left = command().splitlines()
    assert "Under others: 0 second factors, 4 cards, 0 " in begun
    assert moved.startswith("Moved: 0 second factors, 4 cards, 0 ")
    assert left.startswith("Under other keys now: 0 second factors, 0 cards, 0 ")


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
    assert [remaining("cards"), remaining("tax identifiers")] == [0, 1]
    assert (
        "Moved: 0 second factors, 0 cards, 0 webhook secrets, 0 previous webhook secrets, 1 tax"
        in (command())
    )
    use_keys(settings, "kek2")
    assert tax_identifier_of(with_one.pk) == "000-12-3456"


def test_names_consumers_whose_tax_identifier_does_not_open(settings: Any) -> None:
    partner = make_partner()
    broken = register_consumer(partner.pk, pcid="a", tax_identifier="000-12-3456")
    sound = register_consumer(partner.pk, pcid="b", tax_identifier="000-65-4321")
    Consumer.objects.filter(pk=broken.pk).update(tax_identifier_sealed=b"kek1|" + bytes(40))
    use_keys(settings, "kek2", "kek1")
    told = refusal()
    assert told == f"Tax identifiers that cannot be opened: {broken.pk}"
    assert tax_identifier_of(sound.pk) == "000-65-4321"


def test_a_key_whose_id_begins_like_the_current_one_is_another(settings: Any) -> None:
    use_keys(settings, "kek10")
    consumer = register_consumer(make_partner().pk, pcid="a", tax_identifier="000-12-3456")
    use_keys(settings, "kek1", "kek10")
    assert remaining("tax identifiers") == 1
    assert " 1 tax identifiers" in command()
    assert tax_identifier_of(consumer.pk) == "000-12-3456"


def test_asks_for_one_batch_in_few_statements(
    cards: list[PaymentCard], settings: Any, django_assert_max_num_queries: Any
) -> None:
    use_keys(settings, "kek2", "kek1")
    # Savepoint, look, savepoint, store, both released; then a look that finds nothing, for cards
    # twice (the round and one more) and for the seven other kinds once, each in a savepoint; and
    # the entry in the trail.
    with django_assert_max_num_queries(34):
        rotate_keys(SEALED_KINDS, told=lambda _: None)
