"""What makes two creates with one key the same: what they mean, not how they are written."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as some

from consumers.api.exact_json import parsed
from consumers.ids import new_id
from payouts.api.shapes import create_asked
from payouts.approvals import Source
from payouts.operations.request_payment import PushRequest
from tests.pushes import CLIENT

PARTNER = new_id()

_text = some.text(some.characters(exclude_categories=("Cs", "Cc")), max_size=20)
_meant = some.fixed_dictionaries(
    {
        "consumer_id": _text.filter(bool),
        "external_payment_card_id": some.uuids().map(str),
        "amount": some.integers(1, 5_000_000).map(lambda cents: Decimal(cents) / 100),
    },
    optional={
        "description": _text,
        "reference": _text,
        "metadata": some.dictionaries(
            some.from_regex("[a-g]{1,4}", fullmatch=True), _text, max_size=3
        ),
    },
)


def digest_of(text: str) -> bytes:
    members = create_asked(parsed(text.encode()), {}).members
    asked = PushRequest(
        partner_id=PARTNER,
        consumer_ref=members["consumer_id"],
        card_id=members["external_payment_card_id"],
        amount=members["amount"],
        source=Source.API,
        actor=CLIENT,
        description=members["description"],
        reference=members["reference"],
        metadata=members["metadata"],
    )
    return asked.digest()


@some.composite
def spelled(draw: some.DrawFn, meant: dict[str, Any]) -> str:
    """One of the ways to write the request down."""
    defaults: dict[str, Any] = {"description": "", "reference": "", "metadata": {}}
    filled_in = draw(some.sampled_from(sorted(defaults.keys() - meant.keys()) or ["amount"]))
    members = {**meant, **{name: defaults[name] for name in [filled_in] if name in defaults}}
    names = draw(some.permutations(sorted(members)))
    amount, card = members["amount"], members["external_payment_card_id"]
    written = draw(
        some.sampled_from(
            [
                f"{amount:.2f}",
                f'"{amount:.2f}"',
                f"{amount:.4f}",
                f"{amount:.2f}e0",
                f'"00{amount:f}"',
            ]
        )
    )
    card = draw(some.sampled_from([card, card.upper()]))
    ordered = {name: members[name] for name in names} | {"external_payment_card_id": card}
    if "metadata" in ordered:
        ordered["metadata"] = dict(reversed(ordered["metadata"].items()))
    return json.dumps(
        {**ordered, "amount": "@amount@"},
        ensure_ascii=draw(some.booleans()),
        indent=draw(some.sampled_from([None, 1])),
    ).replace('"@amount@"', written)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(some.data(), _meant)
def test_is_the_same_however_the_request_is_written(
    choices: some.DataObject, meant: dict[str, Any]
) -> None:
    one, other = choices.draw(spelled(meant)), choices.draw(spelled(meant))
    assert digest_of(one) == digest_of(other)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(some.data(), _meant, _meant)
def test_differs_when_any_member_does(
    choices: some.DataObject, meant: dict[str, Any], other: dict[str, Any]
) -> None:
    defaults: dict[str, Any] = {"description": "", "reference": "", "metadata": {}}
    name = choices.draw(some.sampled_from([*meant]))
    value = other.get(name, defaults.get(name))
    changed = {**meant, name: value}
    is_same = value == meant[name]
    one, two = choices.draw(spelled(meant)), choices.draw(spelled(changed))
    assert (digest_of(one) == digest_of(two)) is is_same


def test_tells_members_apart_that_have_the_same_text() -> None:
    base = {"consumer_id": "a", "external_payment_card_id": str(UUID(int=1)), "amount": 1}
    digests = {
        digest_of(json.dumps({**base, **more}))
        for more in (
            {},
            {"description": "x"},
            {"reference": "x"},
            {"metadata": {"x": ""}},
            {"metadata": {"y": "x"}},
            {"consumer_id": "x"},
        )
    }
    assert len(digests) == 6
