import base64
import pickle
import traceback
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from consumers.cards import Pan
from consumers.vault import (
    CardKeysMisconfigured,
    CardUnreadable,
    KeyRing,
    SealedCard,
    fingerprint,
    fingerprints_under_all_keys,
    key_ring_from_settings,
    rewrap,
    seal,
    unseal,
)
from tests.consumers import card_numbers
from tests.consumers.card_numbers import plausible_numbers

CARD = UUID("01930000-0000-7000-8000-00000000000a")
OTHER_CARD = UUID("01930000-0000-7000-8000-00000000000b")
PARTNER = UUID("01930000-0000-7000-8000-0000000000aa")
OTHER_PARTNER = UUID("01930000-0000-7000-8000-0000000000bb")
VISA = Pan(card_numbers.VISA)

OLD_KEK, NEW_KEK = b"o" * 32, b"n" * 32
OLD_HMAC, NEW_HMAC = b"p" * 32, b"q" * 32

# HMAC-SHA256 of VISA for PARTNER under OLD_HMAC, worked out apart from the code.
KEPT_DIGEST = "6e94ba47f87e7dc6904d790e6bc3524653733516418c5586d87cfeb8c287c097"

# Worked out from the documented layout apart from the code, with nonces that nobody else uses.
KEPT_SEALED = SealedCard(
    kek_id="kek-old",
    wrapped_key=bytes.fromhex(
        "01000102030405060708090a0b7ce1625cba1ffdf44142da28321819f1882dab"
        "4601d748e4a4736e39e68fd637893288b1a3d49f374ac22a5cb13fb619"
    ),
    ciphertext=bytes.fromhex(
        "010c0d0e0f101112131415161786a3a5e3dc867f40cc39e5bfc5776d0475411fcb479b593196de0bc32248d474"
    ),
)


def make_ring(
    *,
    keks: dict[str, bytes] | None = None,
    fingerprint_keys: dict[str, bytes] | None = None,
) -> KeyRing:
    """A ring whose first keys are the current ones."""
    keks = keks or {"kek-old": OLD_KEK}
    fingerprint_keys = fingerprint_keys or {"fp-old": OLD_HMAC}
    return KeyRing(
        current_kek_id=next(iter(keks)),
        keks=keks,
        current_fingerprint_key_id=next(iter(fingerprint_keys)),
        fingerprint_keys=fingerprint_keys,
    )


RING = make_ring()
ROTATED_RING = make_ring(
    keks={"kek-new": NEW_KEK, "kek-old": OLD_KEK},
    fingerprint_keys={"fp-new": NEW_HMAC, "fp-old": OLD_HMAC},
)


def sealed_visa() -> SealedCard:
    return seal(VISA, card_id=CARD, partner_id=PARTNER, ring=RING)


def with_part(sealed: SealedCard, part: str, stored: bytes) -> SealedCard:
    if part == "wrapped_key":
        return replace(sealed, wrapped_key=stored)
    return replace(sealed, ciphertext=stored)


def open_it(sealed: SealedCard, *, ring: KeyRing = RING) -> Pan:
    return unseal(sealed, card_id=CARD, partner_id=PARTNER, ring=ring)


@given(plausible_numbers(), st.uuids(), st.uuids())
def test_opens_what_it_sealed(number: str, card_id: UUID, partner_id: UUID) -> None:
    sealed = seal(Pan(number), card_id=card_id, partner_id=partner_id, ring=RING)
    opened = unseal(sealed, card_id=card_id, partner_id=partner_id, ring=RING)
    assert opened.reveal() == number


def test_seals_under_the_current_key_only() -> None:
    sealed = seal(VISA, card_id=CARD, partner_id=PARTNER, ring=ROTATED_RING)
    assert sealed.kek_id == "kek-new"
    assert open_it(sealed, ring=make_ring(keks={"kek-new": NEW_KEK})) == VISA


def test_lays_the_bytes_out_as_documented() -> None:
    sealed = sealed_visa()
    assert (len(sealed.wrapped_key), len(sealed.ciphertext)) == (1 + 12 + 32 + 16, 1 + 12 + 16 + 16)
    assert sealed.wrapped_key[:1] == sealed.ciphertext[:1] == b"\x01"


def test_opens_what_lies_in_the_database_already() -> None:
    """A change of layout or binding would make every stored card unreadable."""
    assert open_it(KEPT_SEALED) == VISA


def test_repeats_no_nonce_and_no_data_key() -> None:
    seals = [sealed_visa() for _ in range(500)]
    assert len({sealed.wrapped_key[1:13] for sealed in seals}) == 500
    assert len({sealed.ciphertext[1:13] for sealed in seals}) == 500
    assert len({sealed.ciphertext[13:] for sealed in seals}) == 500


def test_stores_no_digits() -> None:
    sealed = sealed_visa()
    assert b"1111" not in sealed.wrapped_key + sealed.ciphertext


@pytest.mark.parametrize("part", ["wrapped_key", "ciphertext"])
@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_refuses_a_change_of_any_byte(part: str, bit: int) -> None:
    sealed = sealed_visa()
    stored: bytes = getattr(sealed, part)
    for place in range(len(stored)):
        changed = bytearray(stored)
        changed[place] ^= bit
        with pytest.raises(CardUnreadable):
            open_it(with_part(sealed, part, bytes(changed)))


@pytest.mark.parametrize("part", ["wrapped_key", "ciphertext"])
def test_refuses_a_part_that_was_cut_or_lengthened(part: str) -> None:
    sealed = sealed_visa()
    stored: bytes = getattr(sealed, part)
    for wrong in [*(stored[:length] for length in range(len(stored))), stored + b"\x00"]:
        with pytest.raises(CardUnreadable):
            open_it(with_part(sealed, part, wrong))


@given(st.binary(max_size=80), st.binary(max_size=80))
def test_refuses_bytes_that_nobody_sealed(wrapped_key: bytes, ciphertext: bytes) -> None:
    with pytest.raises(CardUnreadable):
        open_it(SealedCard("kek-old", wrapped_key, ciphertext))


@pytest.mark.parametrize(
    ("card_id", "partner_id"),
    [(OTHER_CARD, PARTNER), (CARD, OTHER_PARTNER), (PARTNER, CARD), (uuid4(), uuid4())],
)
def test_refuses_the_row_of_another_card_or_partner(card_id: UUID, partner_id: UUID) -> None:
    with pytest.raises(CardUnreadable):
        unseal(sealed_visa(), card_id=card_id, partner_id=partner_id, ring=RING)


def test_refuses_a_ciphertext_of_another_card() -> None:
    other = seal(VISA, card_id=OTHER_CARD, partner_id=PARTNER, ring=RING)
    with pytest.raises(CardUnreadable):
        open_it(replace(sealed_visa(), ciphertext=other.ciphertext))
    with pytest.raises(CardUnreadable):
        open_it(replace(sealed_visa(), wrapped_key=other.wrapped_key))


def test_refuses_the_two_parts_swapped() -> None:
    sealed = sealed_visa()
    with pytest.raises(CardUnreadable):
        open_it(SealedCard(sealed.kek_id, sealed.ciphertext, sealed.wrapped_key))


def test_refuses_the_data_key_of_an_earlier_sealing() -> None:
    with pytest.raises(CardUnreadable):
        open_it(replace(sealed_visa(), wrapped_key=sealed_visa().wrapped_key))


def test_refuses_another_name_for_the_same_key() -> None:
    renamed = make_ring(keks={"kek-renamed": OLD_KEK})
    with pytest.raises(CardUnreadable):
        open_it(replace(sealed_visa(), kek_id="kek-renamed"), ring=renamed)


def test_refuses_another_key_under_the_same_name() -> None:
    with pytest.raises(CardUnreadable):
        open_it(sealed_visa(), ring=make_ring(keks={"kek-old": NEW_KEK}))


def test_names_card_and_key_when_the_key_is_missing() -> None:
    with pytest.raises(CardUnreadable) as caught:
        open_it(sealed_visa(), ring=make_ring(keks={"kek-new": NEW_KEK}))
    assert str(CARD) in str(caught.value)
    assert "'kek-old': key is not in the ring" in str(caught.value)


def test_rewraps_without_touching_the_number() -> None:
    sealed = sealed_visa()
    moved = rewrap(sealed, card_id=CARD, partner_id=PARTNER, ring=ROTATED_RING)
    assert moved.kek_id == "kek-new"
    assert moved.ciphertext == sealed.ciphertext
    assert moved.wrapped_key != sealed.wrapped_key
    assert open_it(moved, ring=make_ring(keks={"kek-new": NEW_KEK})) == VISA


def test_still_opens_the_old_wrapping_while_keys_rotate() -> None:
    assert open_it(sealed_visa(), ring=ROTATED_RING) == VISA


def test_rewraps_twice_without_a_change() -> None:
    moved = rewrap(sealed_visa(), card_id=CARD, partner_id=PARTNER, ring=ROTATED_RING)
    assert rewrap(moved, card_id=CARD, partner_id=PARTNER, ring=ROTATED_RING) is moved


@pytest.mark.parametrize(("card_id", "partner_id"), [(OTHER_CARD, PARTNER), (CARD, OTHER_PARTNER)])
def test_refuses_to_rewrap_for_another_row(card_id: UUID, partner_id: UUID) -> None:
    with pytest.raises(CardUnreadable):
        rewrap(sealed_visa(), card_id=card_id, partner_id=partner_id, ring=ROTATED_RING)


@given(plausible_numbers(), plausible_numbers())
def test_fingerprints_equal_numbers_alike_and_others_not(one: str, other: str) -> None:
    first = fingerprint(Pan(one), partner_id=PARTNER, ring=RING)
    assert fingerprint(Pan(one), partner_id=PARTNER, ring=RING) == first
    assert (fingerprint(Pan(other), partner_id=PARTNER, ring=RING) == first) == (one == other)


def test_fingerprints_stay_what_they_are() -> None:
    """A change of the digest would make every stored card unknown: it takes a new key instead."""
    kept = fingerprint(VISA, partner_id=PARTNER, ring=RING)
    assert kept.key_id == "fp-old"
    assert kept.digest.hex() == KEPT_DIGEST


def test_fingerprints_of_two_partners_have_nothing_in_common() -> None:
    ours = fingerprint(VISA, partner_id=PARTNER, ring=RING)
    theirs = fingerprint(VISA, partner_id=OTHER_PARTNER, ring=RING)
    assert ours.key_id == theirs.key_id
    assert ours.digest != theirs.digest


def test_fingerprints_under_the_current_key_first_and_then_all_others() -> None:
    found = fingerprints_under_all_keys(VISA, partner_id=PARTNER, ring=ROTATED_RING)
    assert [each.key_id for each in found] == ["fp-new", "fp-old"]
    assert found[0] == fingerprint(VISA, partner_id=PARTNER, ring=ROTATED_RING)
    assert found[1] == fingerprint(VISA, partner_id=PARTNER, ring=RING)


def test_shows_no_key_and_no_digest() -> None:
    shown = repr([RING, sealed_visa(), fingerprint(VISA, partner_id=PARTNER, ring=RING)])
    assert "kek-old" in shown
    assert "fp-old" in shown
    assert "b'" not in shown


def test_pickles_no_ring() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(RING)


def test_raises_without_keys_or_digits_in_any_frame() -> None:
    sealed = sealed_visa()
    broken = replace(sealed, ciphertext=sealed.ciphertext[:-1] + b"\x00\x00")
    with pytest.raises(CardUnreadable) as caught:
        open_it(broken)
    error: BaseException | None = caught.value
    while error is not None:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        text = "".join(report.format())
        assert "oooooooo" not in text
        assert "11111" not in text
        error = error.__context__


@pytest.mark.parametrize(
    "keys",
    [
        {"": OLD_KEK},
        {"with|bar": OLD_KEK},
        {"k" * 33: OLD_KEK},
        {"short": b"s" * 31},
        {"long": b"l" * 33},
        {"one": OLD_KEK, "two": OLD_KEK},
        {"also-hmac": OLD_HMAC},
    ],
)
def test_refuses_a_ring_of_unusable_keys(keys: dict[str, bytes]) -> None:
    with pytest.raises(CardKeysMisconfigured):
        make_ring(keks=keys)


def test_refuses_a_ring_without_its_current_key() -> None:
    with pytest.raises(CardKeysMisconfigured):
        KeyRing("absent", {"kek": OLD_KEK}, "fp", {"fp": OLD_HMAC})
    with pytest.raises(CardKeysMisconfigured):
        KeyRing("kek", {"kek": OLD_KEK}, "absent", {"fp": OLD_HMAC})


def test_keeps_its_keys_when_the_caller_changes_theirs() -> None:
    keks = {"kek-old": OLD_KEK}
    ring = make_ring(keks=keks)
    keks.clear()
    assert list(ring.keks) == ["kek-old"]
    with pytest.raises(TypeError):
        ring.keks["kek-old"] = NEW_KEK  # type: ignore[index]


def encoded(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def ring_from(encryption_keys: str) -> KeyRing:
    fingerprint_keys = f"fp:{encoded(OLD_HMAC)}"
    with override_settings(
        CARD_ENCRYPTION_KEYS=encryption_keys, CARD_FINGERPRINT_KEYS=fingerprint_keys
    ):
        return key_ring_from_settings()


def test_reads_the_first_key_as_the_current_one() -> None:
    ring = ring_from(f"2026-10:{encoded(NEW_KEK)}, 2026-04:{encoded(OLD_KEK)} ,")
    assert ring.current_kek_id == "2026-10"
    assert ring.keks == {"2026-10": NEW_KEK, "2026-04": OLD_KEK}
    assert ring.current_fingerprint_key_id == "fp"
    assert ring.fingerprint_keys == {"fp": OLD_HMAC}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "CARD_ENCRYPTION_KEYS is empty"),
        (" , ", "CARD_ENCRYPTION_KEYS is empty"),
        (encoded(OLD_KEK), "CARD_ENCRYPTION_KEYS: entry 1 does not begin with"),
        (f"a:{encoded(NEW_KEK)},{encoded(OLD_KEK)}:b", "CARD_ENCRYPTION_KEYS: entry 2 does not"),
        (f"a:{encoded(OLD_KEK)},a:{encoded(NEW_KEK)}", "CARD_ENCRYPTION_KEYS: entry 2 repeats"),
        (f"a:{encoded(OLD_KEK)[:-1]}", "CARD_ENCRYPTION_KEYS: entry 1 is not base64"),
        (f"a:{encoded(OLD_KEK)}é", "CARD_ENCRYPTION_KEYS: entry 1 is not base64"),
        (f"a:#{encoded(OLD_KEK)}", "CARD_ENCRYPTION_KEYS: entry 1 is not base64"),
        (f"a:{encoded(OLD_KEK[:16])}", "CARD_ENCRYPTION_KEYS: entry 1 is 16 bytes long, not 32"),
        (f"a:{encoded(OLD_KEK)},b:{encoded(OLD_KEK)}", "hold the same key twice"),
        (f"a:{encoded(OLD_HMAC)}", "hold the same key twice"),
    ],
)
def test_names_the_setting_and_never_the_key(text: str, message: str) -> None:
    with pytest.raises(CardKeysMisconfigured) as caught:
        ring_from(text)
    assert message in str(caught.value)
    for secret in (OLD_KEK, NEW_KEK, OLD_HMAC):
        assert encoded(secret)[:8] not in str(caught.value)
