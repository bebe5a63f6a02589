"""Short texts in the vault: a tax identifier opens only in its own place."""

from base64 import b64encode

import pytest

from consumers.vault import (
    KeyRing,
    TextUnreadable,
    reseal_text,
    seal_text,
    unseal_text,
)

OLD, NEW, PRINT = (bytes([number]) * 32 for number in (1, 2, 3))
PLACE = "consumer|1|2|tax_identifier"


def ring_of(*keks: tuple[str, bytes]) -> KeyRing:
    return KeyRing(
        current_kek_id=keks[0][0],
        keks=dict(keks),
        current_fingerprint_key_id="print",
        fingerprint_keys={"print": PRINT},
    )


RING = ring_of(("old", OLD))
BOTH = ring_of(("new", NEW), ("old", OLD))


def test_opens_in_its_own_place() -> None:
    sealed = seal_text("123-45-6789", bound_to=PLACE, ring=RING)
    assert b"6789" not in sealed
    assert unseal_text(sealed, bound_to=PLACE, ring=RING) == "123-45-6789"


def test_sealing_twice_gives_unlike_bytes() -> None:
    first, second = (seal_text("1", bound_to=PLACE, ring=RING) for _ in range(2))
    assert first != second


def test_refuses_another_place() -> None:
    sealed = seal_text("123-45-6789", bound_to=PLACE, ring=RING)
    with pytest.raises(TextUnreadable):
        unseal_text(sealed, bound_to="consumer|9|2|tax_identifier", ring=RING)


def test_refuses_every_changed_byte() -> None:
    sealed = seal_text("6789", bound_to=PLACE, ring=RING)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(TextUnreadable):
            unseal_text(bytes(changed), bound_to=PLACE, ring=RING)


@pytest.mark.parametrize("sealed", [b"", b"|", b"old|", b"old", b"\xff|x", b64encode(OLD)])
def test_refuses_what_was_never_sealed(sealed: bytes) -> None:
    with pytest.raises(TextUnreadable):
        unseal_text(sealed, bound_to=PLACE, ring=RING)


def test_moves_under_the_current_key_once() -> None:
    sealed = seal_text("6789", bound_to=PLACE, ring=RING)
    moved = reseal_text(sealed, bound_to=PLACE, ring=BOTH)
    assert reseal_text(moved, bound_to=PLACE, ring=BOTH) == moved
    assert unseal_text(moved, bound_to=PLACE, ring=ring_of(("new", NEW))) == "6789"


def test_shows_nothing_of_the_text_or_the_keys() -> None:
    sealed = seal_text("secret-text", bound_to=PLACE, ring=RING)
    with pytest.raises(TextUnreadable) as caught:
        unseal_text(sealed, bound_to="elsewhere", ring=RING)
    assert "secret" not in repr(caught.value)
