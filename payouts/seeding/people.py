"""Made-up people and their cards: who they are follows from the run and the group alone.

So every process knows the ids of all people without asking the database for them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final, NamedTuple
from uuid import UUID

from consumers.cards import Pan, passes_luhn
from consumers.vault import KeyRing, fingerprint, key_ring_from_settings, seal
from payouts.seeding.plan import (
    DAY_US,
    Plan,
    SeededPartner,
    draws,
    id_text,
    text_of_instant,
)

_FIRST_NAMES: Final = (
    "Ada", "Amir", "Anouk", "Bela", "Bruno", "Carla", "Chidi", "Clara", "Dario", "Edda", "Elif",
    "Emil", "Farah", "Felix", "Greta", "Hana", "Hugo", "Ida", "Imani", "Ivan", "Jonas", "Kenji",
    "Lara", "Leif", "Lina", "Malik", "Marta", "Mei", "Milo", "Nadia", "Nils", "Noor", "Olga",
    "Omar", "Paula", "Pavel", "Rosa", "Rui", "Sana", "Selma", "Tariq", "Theo", "Uma", "Vera",
    "Wanda", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
_LAST_NAMES: Final = (
    "Abara", "Albers", "Amano", "Beck", "Bianchi", "Borg", "Castell", "Corvin", "Dahl", "Darzi",
    "Eklund", "Escher", "Farro", "Fenn", "Gallo", "Greve", "Haddix", "Hartwin", "Ibara",
    "Jansky", "Kell", "Kimura", "Kovach", "Lagarde", "Lindqvist", "Maro", "Mbekani", "Mendel",
    "Nakata", "Nivens", "Okoye", "Orlov", "Palmgren", "Pell", "Quint", "Rahimi", "Rosseau",
    "Sato", "Sorel", "Tamm", "Tessaro", "Uhlen", "Vance", "Varga", "Wexler", "Yilmaz",
    "Zanetti", "Zielke",
)  # fmt: skip
_CITIES: Final = (
    ("Springfield", "IL", "62701"),
    ("Riverton", "WY", "82501"),
    ("Fairview", "TX", "75069"),
    ("Salem", "OR", "97301"),
    ("Georgetown", "DE", "19947"),
    ("Clinton", "MS", "39056"),
)
# Prefixes of published test cards. The sandbox network treats all of them as ordinary cards.
_TEST_PREFIXES: Final = ("424242", "411111", "401288", "555555", "510510", "222300")
_SHARE_WITH_TWO_CARDS: Final = 0.4
# People are known for up to this long before the first payment of a run.
_KNOWN_BEFORE_US: Final = 60 * DAY_US


class SeededCard(NamedTuple):
    """A made-up card. Its payments repeat its network and last four."""

    id: str
    pan: Pan


@dataclass(frozen=True, slots=True)
class Person:
    """What payments refer to. Ids are hexadecimal digits, as COPY takes them."""

    partner: SeededPartner
    id: str
    created_us: int
    cards: tuple[SeededCard, ...]


@cache
def people_of(plan: Plan, group: int) -> tuple[Person, ...]:
    """The people of a group, oldest first; the same ones whenever it is asked."""
    rng = draws(plan, f"people {group}")
    weights = [1 / (place + 1) for place in range(len(plan.partners))]
    number = plan.consumers_per_group
    partners = rng.choices(plan.partners, weights=weights, k=number)
    # Groups follow each other in time, so that a group's rows and index entries lie together.
    width = _KNOWN_BEFORE_US // plan.groups
    begin_us = plan.begin_us - _KNOWN_BEFORE_US + width * group
    return tuple(
        _person(rng, partner, begin_us + (width - 1000) * place // number)
        for place, partner in enumerate(partners)
    )


def _person(rng: Random, partner: SeededPartner, created_us: int) -> Person:
    cards = 2 if rng.random() < _SHARE_WITH_TWO_CARDS else 1
    return Person(
        partner=partner,
        id=id_text(created_us, rng.getrandbits(74)),
        created_us=created_us,
        cards=tuple(
            SeededCard(
                id_text(created_us + 1000, rng.getrandbits(74)), Pan(_test_number(rng, prefix))
            )
            for prefix in rng.sample(_TEST_PREFIXES, cards)
        ),
    )


def _test_number(rng: Random, prefix: str) -> str:
    """Sixteen digits that begin with `prefix` and pass Luhn."""
    digits = f"{prefix}{rng.randrange(10**9):09d}"
    return next(digits + last for last in "0123456789" if passes_luhn(digits + last))


CONSUMER_COLUMNS: Final = (
    "id", "partner_id", "pcid", "first_name", "last_name", "email", "phone_number",
    "date_of_birth", "tax_id_type", "tax_identifier_last4", "address_line1", "address_line2",
    "address_city", "address_state", "address_zip", "kyc_status", "is_active",
    "cancellation_reason", "cancellation_details", "created_at", "updated_at",
)  # fmt: skip
CARD_COLUMNS: Final = (
    "id", "partner_id", "consumer_id", "kek_id", "wrapped_key", "ciphertext",
    "fingerprint_key_id", "fingerprint", "network", "card_type", "bin", "last4",
    "expiration_month", "expiration_year", "cardholder_name", "postal_code", "nickname", "status",
    "deactivation_reason", "push_eligible", "push_speed", "push_checked_at", "created_at",
    "updated_at",
)  # fmt: skip


def rows_of_people(plan: Plan, group: int) -> tuple[list[str], list[str]]:
    """The lines of COPY for the consumers and for the cards of a group."""
    rng = draws(plan, f"names {group}")
    ring = key_ring_from_settings()
    consumers: list[str] = []
    cards: list[str] = []
    for number, person in enumerate(people_of(plan, group)):
        first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
        pcid = f"{plan.run}-{group}-{number}"
        consumers.append(_consumer_line(rng, person, pcid, first, last))
        cards += _card_lines(rng, person, f"{first} {last}", ring)
    return consumers, cards


def _consumer_line(rng: Random, person: Person, pcid: str, first: str, last: str) -> str:
    city, state, code = rng.choice(_CITIES)
    at = text_of_instant(person.created_us)
    mailbox = f"{first}.{last}.{pcid}".lower()
    return (
        f"{person.id}\t{person.partner.id}\t{pcid}\t{first}\t{last}\t{mailbox}@example.com"
        f"\t+1202555{rng.randrange(100, 200):04d}"
        f"\t{rng.randrange(1950, 2005)}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        f"\t\t\t{rng.randrange(1, 999)} Example Street\t\t{city}\t{state}\t{code}"
        f"\tComplete\tt\t\t\t{at}\t{at}"
    )


def _card_lines(rng: Random, person: Person, holder: str, ring: KeyRing) -> Iterator[str]:
    at, partner_id = text_of_instant(person.created_us + 1000), UUID(person.partner.id)
    for card_id, pan in person.cards:
        sealed = seal(pan, card_id=UUID(card_id), partner_id=partner_id, ring=ring)
        known_by = fingerprint(pan, partner_id=partner_id, ring=ring)
        yield (
            f"{card_id}\t{person.partner.id}\t{person.id}\t{sealed.kek_id}"
            f"\t\\\\x{sealed.wrapped_key.hex()}\t\\\\x{sealed.ciphertext.hex()}"
            f"\t{known_by.key_id}\t\\\\x{known_by.digest.hex()}\t{pan.network}\tdebit"
            f"\t{pan.bin}\t{pan.last4}\t{rng.randrange(1, 13)}\t{rng.randrange(2036, 2044)}"
            f"\t{holder}\t\t\tactive\t\tt\tfast_funds\t{at}\t{at}\t{at}"
        )
