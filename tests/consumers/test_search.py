"""People are found by what somebody types."""

import unicodedata
from importlib import import_module
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.db import connection

from consumers import search
from consumers.models import Consumer
from consumers.plain_words import plain_words
from consumers.search import (
    FOUND_AT_MOST,
    find_cards_by_last4,
    find_consumers,
    partners_called,
    prefix_query,
)
from tests.books import execute
from tests.builders import MASTERCARD_NUMBER, make_card, make_consumer, make_partner
from tests.owner import owning

pytestmark = pytest.mark.django_db


def found(text: str, *, partner_id: UUID | None = None) -> list[UUID]:
    return find_consumers(text, partner_id=partner_id).ids


@pytest.fixture
def jane() -> Consumer:
    make_consumer(first_name="Bob", last_name="Builder", pcid="other-7", email="bob@example.org")
    return make_consumer(
        first_name="Anne-Jane",
        last_name="O'Brien Márquez",
        pcid="CUST-000123",
        email="Jane.Doe+card@example.com",
    )


@pytest.mark.parametrize(
    "text",
    [
        "anne-jane",
        "ANNE-J",
        "jane",
        "o'brien",
        "O'Br",
        "brien",
        "márq",
        "marquez",
        "MARQUÉZ",
        "obri anne".replace("obri", "brien"),
        "jane.doe",
        "jane.doe+card@example.com",
        "jane.doe+card@ex",
        "CUST-000123",
        "cust-0001",
        "cust",
        "000123",
        "0001",
        "  Anne-Jane   O'Brien  ",
        "anne-jane, o'brien",
    ],
)
def test_finds_a_person_by(jane: Consumer, text: str) -> None:
    assert found(text) == [jane.pk]


@pytest.mark.parametrize(
    "text", ["", "   ", "...", "'", "\\", "zzz", "jane bob", "ane", "'; DROP", "z:*", "!(x & y)"]
)
def test_finds_nobody_and_stays_calm_with(jane: Consumer, text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("José", "jose"),
        ("Jose", "JOSÉ"),
        ("Jose\u0301", "José"),
        ("Müller", "Mull"),
        ("Muller", "Müller"),
        ("Łukasz", "lukasz"),
        ("Strauß", "STRAUSS"),
        ("Ærø", "aero"),
        ("Nguyễn", "nguyen"),
        ("\uff2aane", "jane"),
        ("Ίων", "Ιων"),
        ("김", "김"),
    ],
)
def test_accents_count_for_nothing(name: str, typed: str) -> None:
    person = make_consumer(last_name=name)
    assert found(typed) == [person.pk]


def test_whoever_gets_another_name_is_found_by_that_one() -> None:
    person = make_consumer(last_name="Peña")
    Consumer.objects.filter(pk=person.pk).update(last_name="Nuñez", search_vector=None)
    assert (found("pena"), found("nunez")) == ([], [person.pk])


def test_the_migration_writes_the_words_of_those_who_were_there_before() -> None:
    jose, jane = make_consumer(first_name="José"), make_consumer(first_name="Jane", last_name="Doe")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with owning():
        execute("ALTER TABLE consumers_consumer DISABLE TRIGGER consumer_search_words")
        execute("UPDATE consumers_consumer SET search_vector = to_tsvector('simple', first_name)")
        execute("ALTER TABLE consumers_consumer ENABLE ALWAYS TRIGGER consumer_search_words")
    assert found("jose") == []
    migration = import_module("consumers.migrations.0012_plain_words_of_all")
    migration.write_all(None, SimpleNamespace(connection=connection))
    assert found("jose") == [jose.pk]
    # Only these: of whoever has no accents the words stay as they were.
    assert (found("jane"), found("doe")) == ([jane.pk], [])


def test_partners_are_found_without_accents() -> None:
    partner = make_partner(name="Crédit Zürich")
    assert list(partners_called("zurich credit")) == [partner]
    assert list(partners_called("Zúrich")) == [partner]


def test_the_database_takes_letters_apart_as_we_do() -> None:
    letters = [chr(code) for code in (*range(0x20, 0x3100), *range(0xFB00, 0xFFEF))]
    # What Unicode has added since one of the two learned its tables tells nothing.
    known = [one for one in letters if unicodedata.category(one) not in ("Cn", "Cs")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT consumers_plain_words(x) FROM unnest(%s::text[]) AS x", [known])
        stored = [row[0] for row in cursor.fetchall()]
    differing = [one for one, by in zip(known, stored, strict=True) if plain_words(one) != by]
    assert differing == []


def test_finds_by_id_and_by_a_pcid_that_no_parser_would_keep_whole(jane: Consumer) -> None:
    odd = make_consumer(pcid="!!/::?")
    assert found(str(jane.pk)) == [jane.pk]
    assert found("!!/::?") == [odd.pk]


def test_stays_within_the_partner(jane: Consumer) -> None:
    other = make_partner()
    twin = make_consumer(partner=other, first_name="Anne-Jane", pcid="CUST-000123")
    assert found("anne", partner_id=other.pk) == [twin.pk]
    assert found("CUST-000123", partner_id=other.pk) == [twin.pk]
    assert found(str(jane.pk), partner_id=other.pk) == []


def test_gives_the_newest_first() -> None:
    older, newer = make_consumer(last_name="Twin"), make_consumer(last_name="Twin")
    assert found("twin") == [newer.pk, older.pk]


def test_says_when_there_are_more_than_it_kept() -> None:
    partner = make_partner()
    Consumer.objects.bulk_create(
        Consumer(partner=partner, pcid=f"many-{n}", last_name="Crowd")
        for n in range(FOUND_AT_MOST + 1)
    )
    crowd = find_consumers("crowd")
    assert len(crowd.ids) == FOUND_AT_MOST
    assert not crowd.is_complete


def test_looks_for_no_more_than_some_words() -> None:
    query = prefix_query(" ".join(f"word{n}" for n in range(50)))
    assert query is not None
    assert query.count("&") == 5


def test_finds_cards_of_all_partners_by_their_last_four() -> None:
    visa = make_card()
    make_card(number=MASTERCARD_NUMBER)
    again = make_card()
    assert find_cards_by_last4("1111").ids == [again.pk, visa.pk]
    assert find_cards_by_last4("1111", partner_id=visa.partner_id).ids == [visa.pk]


def test_gives_the_newest_of_more_than_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_GATHERED_AT_MOST", 2)
    partner = make_partner()
    several = [make_consumer(partner=partner, first_name="Ada") for _ in range(5)]
    newest = [one.pk for one in reversed(several)]
    assert found("ada")[:2] == newest[:2]
    assert found("ada", partner_id=partner.pk)[:3] == newest[:3]
    assert found("ada", partner_id=make_partner().pk) == []
