"""Seals card numbers for storage, opens them for the sender, and fingerprints them.

Knows keys and bytes only: no models, no queries, no HTTP. The one thing taken from Django is the
text of the keys, in `key_ring_from_settings`. Only the code that sends a payment, and the commands
that rotate keys, may call `unseal`.

How a number is kept (NIST SP 800-38D for AES-GCM, RFC 2104 for HMAC):

    wrapped_key   01 | nonce, 12 bytes | data key under the KEK, 32 bytes  | tag, 16 bytes
    ciphertext    01 | nonce, 12 bytes | digits under the data key, 13..19 | tag, 16 bytes

01 is the version of this layout. Every card has a data key of its own, used for exactly one
encryption. The associated data of both parts is text, `payment_card|<card>|<partner>|<purpose>|v1`;
that of the wrapped key ends in `|<KEK id>` too. So bytes that are moved to another card, another
partner, the other column or under another key's name do not open. The ciphertext does not name the
KEK, because that changes when keys rotate while the ciphertext stays.

A KEK must wrap fewer than 2**32 data keys, as nonces are random: far beyond one per card.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from consumers.cards import Pan

PURPOSE_NUMBER = "number"
PURPOSE_DATA_KEY = "data-key"
PURPOSE_FINGERPRINT = "fingerprint"

KEY_BYTES = 32
NONCE_BYTES = 12
LAYOUT_VERSION = b"\x01"

# No `|`, so that an id cannot imitate other parts of the associated data; 32 is the column's width.
_KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class CardUnreadable(Exception):
    """The sealed number does not open: changed, another card's or partner's, or its KEK is missing.

    Certain before anything was sent. The message names the card and the KEK's id and nothing else.
    """


class CardKeyMissing(CardUnreadable):
    """The KEK of a sealed number is not in this process's ring; in another's it may be.

    Says nothing about the card: with the key it opens.
    """


class TextUnreadable(Exception):
    """A sealed text does not open: changed, moved, or its KEK is missing. Shows nothing of it."""


class CardKeysMisconfigured(ImproperlyConfigured):
    """The keys of the vault are missing or malformed. The message shows no part of a key."""


@dataclass(frozen=True, slots=True)
class SealedCard:
    """A card number as stored. Safe to keep and to back up; worth nothing without the KEK."""

    kek_id: str
    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A keyed digest that tells whether two numbers of one partner are the same.

    The digest stays out of `repr`: beside BIN and last four it would name a number uniquely to
    whoever gets hold of the key.
    """

    key_id: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeyRing:
    """All keys of the vault. Only the current ones seal; the others still open and find.

    :raises CardKeysMisconfigured: a current key is missing, a key is not 32 bytes, or one key
        stands under two ids or in both roles, so that a rotation would have changed nothing.
    """

    current_kek_id: str
    keks: Mapping[str, bytes]
    current_fingerprint_key_id: str
    fingerprint_keys: Mapping[str, bytes]

    def __post_init__(self) -> None:
        _require_usable(self.keks, current_id=self.current_kek_id)
        _require_usable(self.fingerprint_keys, current_id=self.current_fingerprint_key_id)
        _require_distinct([*self.keks.values(), *self.fingerprint_keys.values()])
        object.__setattr__(self, "keks", MappingProxyType(dict(self.keks)))
        object.__setattr__(self, "fingerprint_keys", MappingProxyType(dict(self.fingerprint_keys)))

    def __repr__(self) -> str:
        return (
            f"KeyRing(current_kek_id={self.current_kek_id!r}, keks={sorted(self.keks)}, "
            f"current_fingerprint_key_id={self.current_fingerprint_key_id!r}, "
            f"fingerprint_keys={sorted(self.fingerprint_keys)})"
        )


def key_ring_from_settings() -> KeyRing:
    """The keys of this installation, read anew on every call.

    :raises CardKeysMisconfigured: naming the setting and the place in it, never its content.
    """
    keks = _parse_keys(settings.CARD_ENCRYPTION_KEYS, setting="CARD_ENCRYPTION_KEYS")
    fingerprint_keys = _parse_keys(settings.CARD_FINGERPRINT_KEYS, setting="CARD_FINGERPRINT_KEYS")
    return KeyRing(
        current_kek_id=next(iter(keks)),
        keks=keks,
        current_fingerprint_key_id=next(iter(fingerprint_keys)),
        fingerprint_keys=fingerprint_keys,
    )


def seal(pan: Pan, *, card_id: UUID, partner_id: UUID, ring: KeyRing) -> SealedCard:
    """Encrypt a number for one row under the current KEK.

    Sealing the same number twice gives unlike bytes: to compare numbers, use `fingerprint`.
    """
    kek_id = ring.current_kek_id
    data_key = AESGCM.generate_key(KEY_BYTES * 8)
    return SealedCard(
        kek_id=kek_id,
        wrapped_key=_encrypt(
            data_key,
            cipher=AESGCM(ring.keks[kek_id]),
            bound_to=_key_binding(card_id=card_id, partner_id=partner_id, kek_id=kek_id),
        ),
        ciphertext=_encrypt(
            pan.reveal().encode("ascii"),
            cipher=AESGCM(data_key),
            bound_to=_binding(card_id, partner_id, PURPOSE_NUMBER),
        ),
    )


def unseal(sealed: SealedCard, *, card_id: UUID, partner_id: UUID, ring: KeyRing) -> Pan:
    """Decrypt the number of one row. For the sender and for key rotation only.

    :raises CardKeyMissing: they name a KEK that is not in the ring.
    :raises CardUnreadable: the bytes were changed, or belong to another card or partner. In both
        cases nothing can have been sent by then.
    """
    try:
        return Pan(
            _decrypt(
                sealed.ciphertext,
                cipher=AESGCM(_unwrap(sealed, card_id=card_id, partner_id=partner_id, ring=ring)),
                bound_to=_binding(card_id, partner_id, PURPOSE_NUMBER),
            ).decode("ascii")
        )
    except InvalidTag:
        raise _unreadable("number was changed or moved", sealed, card_id) from None


def rewrap(sealed: SealedCard, *, card_id: UUID, partner_id: UUID, ring: KeyRing) -> SealedCard:
    """Move the data key under the current KEK; the number itself is neither read nor changed.

    Answers `sealed` itself if it is there already, so a rotation may run again or twice at once:
    every result opens, and the last one written stays.

    :raises CardUnreadable: as `unseal`, as far as the wrapped key is concerned.
    """
    if sealed.kek_id == ring.current_kek_id:
        return sealed
    return SealedCard(
        kek_id=ring.current_kek_id,
        wrapped_key=_encrypt(
            _unwrap(sealed, card_id=card_id, partner_id=partner_id, ring=ring),
            cipher=AESGCM(ring.keks[ring.current_kek_id]),
            bound_to=_key_binding(
                card_id=card_id, partner_id=partner_id, kek_id=ring.current_kek_id
            ),
        ),
        ciphertext=sealed.ciphertext,
    )


def seal_text(text: str, *, bound_to: str, ring: KeyRing) -> bytes:
    """Encrypt a short text other than a card number, under the current KEK itself.

    The result is one value: the KEK's id, `|`, then version, nonce, ciphertext and tag. `bound_to`
    names kind, row, partner and column; it is the associated data, with the KEK's id.
    """
    kek_id = ring.current_kek_id
    sealed = _encrypt(
        text.encode(), cipher=AESGCM(ring.keks[kek_id]), bound_to=_text_binding(bound_to, kek_id)
    )
    return kek_id.encode() + b"|" + sealed


def unseal_text(sealed: bytes, *, bound_to: str, ring: KeyRing) -> str:
    """Decrypt what `seal_text` sealed for the same place.

    :raises TextUnreadable: the bytes were changed or moved, or the KEK is not in the ring.
    """
    kek_id, _, stored = sealed.partition(b"|")
    key = ring.keks.get(kek_id.decode("ascii", "replace"))
    if key is None:
        raise TextUnreadable(f"{bound_to}: key is not in the ring.")
    try:
        binding = _text_binding(bound_to, kek_id.decode())
        return _decrypt(stored, cipher=AESGCM(key), bound_to=binding).decode()
    except InvalidTag:
        raise TextUnreadable(f"{bound_to}: was changed or moved.") from None


def reseal_text(sealed: bytes, *, bound_to: str, ring: KeyRing) -> bytes:
    """Move a sealed text under the current KEK; one that is there already comes back as it is.

    :raises TextUnreadable: as `unseal_text`.
    """
    if sealed.startswith(ring.current_kek_id.encode() + b"|"):
        return sealed
    return seal_text(
        unseal_text(sealed, bound_to=bound_to, ring=ring), bound_to=bound_to, ring=ring
    )


def fingerprint(pan: Pan, *, partner_id: UUID, ring: KeyRing) -> Fingerprint:
    """The digest under the current key: equal for the same number and partner, else unrelated.

    Keyed over the whole number (PCI DSS 3.5.1.1) and bound to the partner, so that nobody can learn
    from the database that two partners pay the same card.
    """
    return _fingerprint_under(
        ring.current_fingerprint_key_id, pan, partner_id=partner_id, ring=ring
    )


def fingerprints_under_all_keys(
    pan: Pan, *, partner_id: UUID, ring: KeyRing
) -> tuple[Fingerprint, ...]:
    """The digest under every key of the ring, the current one first.

    While keys rotate, an existing card may stand under any of them: look for all.
    """
    retired = [key for key in ring.fingerprint_keys if key != ring.current_fingerprint_key_id]
    return tuple(
        _fingerprint_under(key_id, pan, partner_id=partner_id, ring=ring)
        for key_id in (ring.current_fingerprint_key_id, *retired)
    )


def _fingerprint_under(key_id: str, pan: Pan, *, partner_id: UUID, ring: KeyRing) -> Fingerprint:
    return Fingerprint(
        key_id=key_id,
        digest=hmac.digest(
            ring.fingerprint_keys[key_id],
            f"payment_card|{partner_id}|{PURPOSE_FINGERPRINT}|v1|{pan.reveal()}".encode("ascii"),
            hashlib.sha256,
        ),
    )


def _binding(card_id: UUID, partner_id: UUID, purpose: str) -> bytes:
    return f"payment_card|{card_id}|{partner_id}|{purpose}|v1".encode("ascii")


def _key_binding(*, card_id: UUID, partner_id: UUID, kek_id: str) -> bytes:
    return _binding(card_id, partner_id, PURPOSE_DATA_KEY) + b"|" + kek_id.encode()


def _text_binding(bound_to: str, kek_id: str) -> bytes:
    return f"{bound_to}|v1|{kek_id}".encode()


def _encrypt(plaintext: bytes, *, cipher: AESGCM, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return LAYOUT_VERSION + nonce + cipher.encrypt(nonce, plaintext, bound_to)


# Takes a cipher and not a key: this is where a changed row raises, and the locals of a frame that
# raised may be shown by an error reporter.
def _decrypt(stored: bytes, *, cipher: AESGCM, bound_to: bytes) -> bytes:
    version, nonce = stored[:1], stored[1 : 1 + NONCE_BYTES]
    if version != LAYOUT_VERSION or len(nonce) != NONCE_BYTES:
        raise InvalidTag
    return cipher.decrypt(nonce, stored[1 + NONCE_BYTES :], bound_to)


def _unwrap(sealed: SealedCard, *, card_id: UUID, partner_id: UUID, ring: KeyRing) -> bytes:
    if sealed.kek_id not in ring.keks:
        raise CardKeyMissing(_fact("key is not in the ring", sealed, card_id))
    try:
        return _decrypt(
            sealed.wrapped_key,
            cipher=AESGCM(ring.keks[sealed.kek_id]),
            bound_to=_key_binding(card_id=card_id, partner_id=partner_id, kek_id=sealed.kek_id),
        )
    except InvalidTag:
        raise _unreadable("data key was changed or moved", sealed, card_id) from None


def _unreadable(fact: str, sealed: SealedCard, card_id: UUID) -> CardUnreadable:
    return CardUnreadable(_fact(fact, sealed, card_id))


def _fact(fact: str, sealed: SealedCard, card_id: UUID) -> str:
    return f"Card {card_id} under key {sealed.kek_id!r}: {fact}."


def _parse_keys(text: str, *, setting: str) -> dict[str, bytes]:
    """Read `id:base64,id2:base64`, the current key first, keeping the order.

    A malformed entry is named by its place: what looks like its id may be half of a key.
    """
    keys: dict[str, bytes] = {}
    for place, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        key_id, _, encoded = entry.partition(":")
        if not _KEY_ID.fullmatch(key_id):
            raise CardKeysMisconfigured(f"{setting}: entry {place} does not begin with `id:`.")
        if key_id in keys:
            raise CardKeysMisconfigured(f"{setting}: entry {place} repeats an earlier id.")
        keys[key_id] = _decoded_key(encoded, where=f"{setting}: entry {place}")
    if not keys:
        raise CardKeysMisconfigured(f"{setting} is empty: set `id:base64` of 32 random bytes.")
    return keys


def _decoded_key(encoded: str, *, where: str) -> bytes:
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise CardKeysMisconfigured(f"{where} is not base64.") from None
    if len(key) != KEY_BYTES:
        raise CardKeysMisconfigured(f"{where} is {len(key)} bytes long, not {KEY_BYTES}.")
    return key


def _require_usable(keys: Mapping[str, bytes], *, current_id: str) -> None:
    if current_id not in keys:
        raise CardKeysMisconfigured("The current card key is not among the card keys.")
    if not all(_KEY_ID.fullmatch(key_id) for key_id in keys):
        raise CardKeysMisconfigured(
            "A card key's id is not 1 to 32 letters, digits, `.`, `_`, `-`."
        )
    if any(len(key) != KEY_BYTES for key in keys.values()):
        raise CardKeysMisconfigured(f"A card key is not {KEY_BYTES} bytes long.")


def _require_distinct(keys: list[bytes]) -> None:
    if len(set(keys)) != len(keys):
        raise CardKeysMisconfigured(
            "CARD_ENCRYPTION_KEYS and CARD_FINGERPRINT_KEYS hold the same key twice."
        )
