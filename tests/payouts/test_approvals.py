from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from payouts.approvals import (
    POSSIBLE_DUPLICATE,
    Circumstances,
    Requirement,
    Rule,
    Source,
    people_needed,
    requirements,
)

ORDINARY = Circumstances(
    amount=Decimal("100.00"),
    source=Source.API,
    is_first_push_to_card=False,
    card_age=timedelta(days=400),
    is_possible_duplicate=False,
)


TWINS_NEED_TWO = Rule("twins", decisions=2, possible_duplicate=True)


def _asks(circumstances: Circumstances = ORDINARY, **conditions: Any) -> bool:
    rule = Rule("rule", decisions=1, **conditions)
    return bool(requirements(circumstances, rules=[rule]))


def test_asks_for_nobody_without_rules() -> None:
    assert requirements(ORDINARY, rules=[]) == []


def test_a_rule_without_conditions_is_for_every_push() -> None:
    assert _asks()


@pytest.mark.parametrize(("amount", "asks"), [("99.99", False), ("100.00", True), ("100.01", True)])
def test_an_amount_rule_begins_at_its_amount(amount: str, asks: bool) -> None:  # noqa: FBT001
    pushed = replace(ORDINARY, amount=Decimal(amount))
    assert _asks(pushed, amount_at_least=Decimal("100.00")) is asks


@pytest.mark.parametrize("source", Source)
def test_a_source_rule_is_for_its_source_only(source: Source) -> None:
    assert _asks(source=source) is (source is Source.API)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_first_push_rule_tells_first_from_later(is_first: bool) -> None:  # noqa: FBT001
    pushed = replace(ORDINARY, is_first_push_to_card=is_first)
    assert _asks(pushed, first_push_to_card=True) is is_first
    assert _asks(pushed, first_push_to_card=False) is not is_first


@pytest.mark.parametrize(("hours", "asks"), [(23, True), (24, False), (25, False)])
def test_a_young_card_rule_ends_with_its_age(hours: int, asks: bool) -> None:  # noqa: FBT001
    pushed = replace(ORDINARY, card_age=timedelta(hours=hours))
    assert _asks(pushed, card_younger_than=timedelta(days=1)) is asks


@pytest.mark.parametrize("is_twin", [True, False])
def test_a_duplicate_rule_tells_twins_from_others(is_twin: bool) -> None:  # noqa: FBT001
    pushed = replace(ORDINARY, is_possible_duplicate=is_twin)
    names = [one.name for one in requirements(pushed, rules=[TWINS_NEED_TWO])]
    assert ("twins" in names) is is_twin
    assert _asks(replace(pushed, is_possible_duplicate=False), possible_duplicate=False)


@pytest.mark.parametrize(
    ("required", "people"),
    [
        ([], 0),
        ([(2, None), (1, None)], 2),
        ([(2, None), (1, 7)], 2),
        ([(1, 7), (1, 8)], 2),
        ([(2, 7), (1, 8), (1, 7), (2, None)], 3),
        ([(4, None), (1, 7), (2, 8)], 4),
    ],
)
def test_counts_the_people_that_several_groups_need(
    required: list[tuple[int, int | None]], people: int
) -> None:
    asked = [Requirement(str(place), *one) for place, one in enumerate(required)]
    assert people_needed(asked) == people


def test_a_rule_needs_all_its_conditions() -> None:
    assert _asks(amount_at_least=Decimal(50), source=Source.API)
    assert not _asks(amount_at_least=Decimal(50), source=Source.BATCH)
    assert not _asks(amount_at_least=Decimal(500), source=Source.API)


def test_all_matching_rules_apply() -> None:
    rules = [
        Rule("large", decisions=2, amount_at_least=Decimal(100)),
        Rule("batch", decisions=1, source=Source.BATCH),
        Rule("finance looks", decisions=1, group_id=7),
    ]
    assert requirements(ORDINARY, rules=rules) == [
        Requirement("large", 2, None),
        Requirement("finance looks", 1, 7),
    ]


def test_a_possible_duplicate_needs_a_person_without_any_rule() -> None:
    twin = replace(ORDINARY, is_possible_duplicate=True)
    assert requirements(twin, rules=[]) == [POSSIBLE_DUPLICATE]


def test_a_possible_duplicate_adds_to_the_rules() -> None:
    twin = replace(ORDINARY, is_possible_duplicate=True)
    named = [one.name for one in requirements(twin, rules=[Rule("everything", decisions=2)])]
    assert named == ["everything", "possible_duplicate"]
