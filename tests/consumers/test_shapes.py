"""Request shapes: strict fields, and every problem at once."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from rest_framework.exceptions import ErrorDetail, ValidationError

from consumers.api.shapes import Birthday, Email, Id, PatternText, Shape, Text, Whole


class Sample(Shape):
    read_only_names = frozenset({"made_at"})

    name = Text(max_length=5)
    note = Text(lines=True, required=False, allow_blank=True, default="")
    code = PatternText(r"^[A-Z]{2}$", message="Two capitals.", required=False)
    email = Email(required=False)
    count = Whole(as_text="0?[1-9]", required=False, min_value=1, max_value=12)
    born = Birthday(required=False)
    card = Id(required=False)


def codes_of(document: dict[str, Any], **options: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        Sample.read(document, **options)
    detail = caught.value.detail
    assert isinstance(detail, dict)
    return {
        name: [str(problem.code) for problem in problems if isinstance(problem, ErrorDetail)]
        for name, problems in detail.items()
    }


def test_names_every_problem_of_known_and_unknown_fields_at_once() -> None:
    document = {"name": 7, "code": "x", "count": 13, "colour": "red", "zzz": None}
    assert codes_of(document) == {
        "name": ["invalid"],
        "code": ["invalid_format"],
        "count": ["max_value"],
        "colour": ["unknown_field"],
        "zzz": ["unknown_field"],
    }


def test_reads_what_is_right_and_fills_defaults() -> None:
    card = UUID(int=3)
    document = {"name": " Ada", "born": "1990-02-28", "count": "07", "card": str(card)}
    assert Sample.read(document) == {
        "name": " Ada",
        "note": "",
        "born": date(1990, 2, 28),
        "count": 7,
        "card": card,
    }


def test_a_partial_read_fills_nothing_in() -> None:
    assert Sample.read({}, partial=True) == {}
    assert codes_of({"name": ""}, partial=True) == {"name": ["blank"]}


@pytest.mark.parametrize(
    "value", [1, 1.5, True, None, [], {}, Decimal(1), "a\0", "a\nb", "\x85", "\ud800"]
)
def test_text_takes_only_strings_of_one_line(value: Any) -> None:
    assert codes_of({"name": value})["name"]


def test_text_with_lines_takes_breaks_and_tabs_only() -> None:
    assert Sample.read({"name": "a", "note": "a\n\tb"})["note"] == "a\n\tb"
    assert codes_of({"name": "a", "note": "a\x07"}) == {"note": ["control_characters"]}


@pytest.mark.parametrize("value", ["XYZ", "X", "xy", "XY\n", "\uff38\uff39"])
def test_a_pattern_holds_for_the_whole_text(value: str) -> None:
    assert "code" in codes_of({"name": "a", "code": value})


@pytest.mark.parametrize(
    "value", [True, 1.0, Decimal("1.5"), "1.0", "٣", "", None, "1e1", " 1", "12", "1\n"]
)
def test_whole_takes_only_whole_numbers(value: Any) -> None:
    assert "count" in codes_of({"name": "a", "count": value})


@pytest.mark.parametrize("value", [3, "3", "03", Decimal("3.0"), Decimal("0.3e1")])
def test_whole_takes_a_whole_number_however_json_writes_it(value: Any) -> None:
    assert Sample.read({"name": "a", "count": value})["count"] == 3


@pytest.mark.parametrize(
    "value",
    [
        "20200101",
        "2020-1-1",
        "2020-W01-1",
        "2020-02-30",
        "1899-12-31",
        "2999-01-01",
        20200101,
        None,
    ],
)
def test_day_takes_only_real_days(value: Any) -> None:
    assert "born" in codes_of({"name": "a", "born": value})


@pytest.mark.parametrize("value", ["0" * 32, "{" + str(UUID(int=1)) + "}", "x", 1, None])
def test_id_takes_only_the_usual_form(value: Any) -> None:
    assert "card" in codes_of({"name": "a", "card": value})


@pytest.mark.parametrize("value", ["a", "a@", "a@b", 'a"@b.de\n', "a" * 250 + "@example.com"])
def test_email_must_look_like_one(value: Any) -> None:
    assert "email" in codes_of({"name": "a", "email": value})


def test_a_read_only_field_may_be_sent_back_but_not_changed() -> None:
    shown = {"made_at": "2026-01-01"}
    assert Sample.read({"name": "a", **shown}, unchanged=shown) == {"name": "a", "note": ""}
    assert codes_of({"name": "a", "made_at": "x"}, unchanged=shown) == {"made_at": ["read_only"]}
    assert codes_of({"name": "a", "made_at": "x"}) == {"made_at": ["read_only"]}


def test_never_repeats_a_card_number_that_was_sent_as_a_name() -> None:
    assert "4111" not in str(codes_of({"name": "a", "4111111111111111": 1}))
