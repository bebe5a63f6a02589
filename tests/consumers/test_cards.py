import copy
import json
import pickle
import traceback
from collections.abc import Callable
from datetime import date

import orjson
import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.template import Context, Engine
from hypothesis import given
from hypothesis import strategies as st

from consumers.cards import (
    NUMBER_LENGTHS,
    PREFIX_RANGES,
    CardNetworkName,
    NotACardNumber,
    Pan,
    bin_of,
    expires_after,
    is_expired,
    is_plausible_number,
    last4_of,
    masked,
    network_of,
    normalise_number,
    passes_luhn,
    problems_with_card,
)
from tests.consumers import card_numbers
from tests.consumers.card_numbers import plausible_numbers

TODAY = date(2026, 10, 15)


def codes(number: str, month: int = 12, year: int = 2028) -> list[tuple[str, str]]:
    problems = problems_with_card(number, month, year, TODAY)
    return [(problem.field, problem.code) for problem in problems]


@pytest.mark.parametrize(
    ("number", "network"),
    [
        (card_numbers.VISA, "visa"),
        ("4222222222222", "visa"),
        (card_numbers.MASTERCARD, "mastercard"),
        (card_numbers.MASTERCARD_2_SERIES, "mastercard"),
        (card_numbers.AMEX, "amex"),
        ("341111111111111", "amex"),
        (card_numbers.DISCOVER, "discover"),
        ("6445644564456445", "discover"),
        ("6500000000000002", "discover"),
        (card_numbers.JCB, "jcb"),
        (card_numbers.DINERS, "diners"),
        ("36227206271667", "diners"),
        (card_numbers.UNIONPAY, "unionpay"),
        (card_numbers.UNIONPAY_19, "unionpay"),
        ("8171999927660000", "unionpay"),
        (card_numbers.MAESTRO, "maestro"),
        ("6304000000000000", "maestro"),
    ],
)
def test_names_the_network_of_published_test_numbers(number: str, network: str) -> None:
    assert network_of(number) == network
    assert is_plausible_number(number)
    assert codes(number) == []


@pytest.mark.parametrize(
    ("number", "network"),
    [
        ("2220", None),
        ("2221", "mastercard"),
        ("2720", "mastercard"),
        ("2721", None),
        ("50", None),
        ("51", "mastercard"),
        ("55", "mastercard"),
        ("56", None),
        ("3527", None),
        ("3528", "jcb"),
        ("3589", "jcb"),
        ("3590", None),
        ("306", None),
        ("305", "diners"),
        ("643", None),
        ("649", "discover"),
        ("8172", None),
        ("1", None),
        ("", None),
        ("22", None),
        ("4x", None),
    ],
)
def test_ends_each_range_where_the_network_ends_it(number: str, network: str | None) -> None:
    assert network_of(number) == network


def test_has_no_prefix_in_two_ranges() -> None:
    owners = [
        sum(low <= prefix[: len(low)] <= high for low, high, _ in PREFIX_RANGES)
        for prefix in map(str, range(1000, 10000))
    ]
    assert max(owners) == 1


def test_knows_the_lengths_of_every_network() -> None:
    assert set(NUMBER_LENGTHS) == set(CardNetworkName)
    assert {network for _, _, network in PREFIX_RANGES} == set(CardNetworkName)


@given(plausible_numbers(), st.data())
def test_refuses_any_single_mistyped_digit(number: str, drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(number) - 1))
    other = drawn.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    assert not passes_luhn(number[:place] + other + number[place + 1 :])


@given(plausible_numbers(), st.data())
def test_refuses_two_neighbours_swapped(number: str, drawn: st.DataObject) -> None:
    place = drawn.draw(st.integers(0, len(number) - 2))
    first, second = number[place], number[place + 1]
    swapped = number[:place] + second + first + number[place + 2 :]
    # Luhn cannot tell 09 from 90; every other swap it must see.
    assert passes_luhn(swapped) == (first == second or {first, second} == {"0", "9"})


@pytest.mark.parametrize("number", ["", " ", "41111111111x1111", "٤١١١١١١١١١١١١١١١", "-1"])
def test_finds_no_check_digit_in_what_is_not_digits(number: str) -> None:
    assert not passes_luhn(number)


@pytest.mark.parametrize(
    "typed",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        " 4111\u00a01111\u202f1111\u20131111\t",
        "4111 - 1111 - 1111 - 1111",
    ],
)
def test_takes_blanks_and_dashes_out(typed: str) -> None:
    assert normalise_number(typed) == card_numbers.VISA
    assert codes(typed) == []


def test_leaves_other_characters_for_the_check_to_find() -> None:
    assert normalise_number("4111.1111/x\n1") == "4111.1111/x\n1"


@pytest.mark.parametrize(
    ("number", "kept", "shown"),
    [
        (card_numbers.VISA, "41111111", "41111111****1111"),
        (card_numbers.AMEX, "378282", "378282*****0005"),
        (card_numbers.DINERS, "305693", "305693****5904"),
        ("4222222222222", "422222", "422222***2222"),
        (card_numbers.UNIONPAY_19, "62055000", "62055000*******0004"),
    ],
)
def test_keeps_what_truncation_allows(number: str, kept: str, shown: str) -> None:
    assert bin_of(number) == kept
    assert masked(kept, last4_of(number), len(number)) == shown


def test_masks_two_more_digits_of_a_bin_that_is_too_long_for_the_number() -> None:
    assert masked("37828224", "0005", 15) == "378282*****0005"


@given(plausible_numbers())
def test_masks_to_the_length_of_the_number(number: str) -> None:
    shown = masked(bin_of(number), last4_of(number), len(number))
    assert len(shown) == len(number)
    assert shown.count("*") >= (4 if len(number) >= 16 else 3)


@pytest.mark.parametrize("cut", [bin_of, last4_of, Pan])
@pytest.mark.parametrize(
    "text", ["", "411111111111", "4" * 20, "4111111111111x11", "411111111111\n"]
)
def test_refuses_to_cut_what_is_no_number(cut: Callable[[str], object], text: str) -> None:
    with pytest.raises(NotACardNumber) as caught:
        cut(text)
    assert not text or text.strip() not in str(caught.value)


@pytest.mark.parametrize(
    ("month", "year", "last_day"),
    [
        (2, 2028, date(2028, 2, 29)),
        (2, 2027, date(2027, 2, 28)),
        (12, 2026, date(2026, 12, 31)),
    ],
)
def test_is_good_through_the_last_day_of_the_month(month: int, year: int, last_day: date) -> None:
    assert expires_after(month, year) == last_day
    assert not is_expired(month, year, on=last_day)
    assert is_expired(month, year, on=date.fromordinal(last_day.toordinal() + 1))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("", "required"),
        (" - ", "required"),
        ("4111x11111111111", "not_digits"),
        ("9999999999999995", "unknown_network"),
        ("41111111111111", "wrong_length"),
        ("4111111111111112", "wrong_check_digit"),
    ],
)
def test_names_what_is_wrong_with_a_number(number: str, code: str) -> None:
    assert ("number", code) in codes(number)


@pytest.mark.parametrize(
    ("month", "year", "problem"),
    [
        (0, 2028, ("expiration_month", "out_of_range")),
        (13, 2028, ("expiration_month", "out_of_range")),
        (12, 28, ("expiration_year", "out_of_range")),
        (12, 10000, ("expiration_year", "out_of_range")),
        (12, 2047, ("expiration_year", "too_far_ahead")),
        (9, 2026, ("expiration_month", "card_expired")),
        (12, 2025, ("expiration_year", "card_expired")),
    ],
)
def test_names_what_is_wrong_with_an_expiry(
    month: int, year: int, problem: tuple[str, str]
) -> None:
    assert codes(card_numbers.VISA, month, year) == [problem]


@pytest.mark.parametrize(("month", "year"), [(10, 2026), (12, 2046)])
def test_accepts_this_month_and_twenty_years(month: int, year: int) -> None:
    assert codes(card_numbers.VISA, month, year) == []


def test_names_every_problem_at_once() -> None:
    assert codes("123", 13, 26) == [
        ("number", "unknown_network"),
        ("number", "wrong_length"),
        ("number", "wrong_check_digit"),
        ("expiration_month", "out_of_range"),
        ("expiration_year", "out_of_range"),
    ]


@given(st.text("0123456789 -x", max_size=24), st.integers(), st.integers())
def test_repeats_no_input_in_its_messages(number: str, month: int, year: int) -> None:
    for problem in problems_with_card(number, month, year, TODAY):
        assert len(number) < 5 or number not in problem.message


@given(plausible_numbers())
def test_holds_a_number_and_tells_what_may_be_told(number: str) -> None:
    pan = Pan(number)
    assert pan.reveal() == number
    assert (pan.network, pan.bin) == (network_of(number), bin_of(number))
    assert (pan.last4, pan.length) == (number[-4:], len(number))


def test_forgets_the_blanks() -> None:
    assert Pan("4111 1111-1111 1111").reveal() == card_numbers.VISA


@given(plausible_numbers())
def test_shows_only_the_last_four(number: str) -> None:
    pan = Pan(number)
    shown = [repr(pan), str(pan), ascii(pan), f"{pan}", f"{pan!r}", f"{pan:>30}"]
    shown += ["%s" % pan, "%r" % pan, repr([pan]), repr({"pan": pan})]  # noqa: UP031
    for text in shown:
        assert f"****{number[-4:]}" in text
        assert number[-5:] not in text
        assert number[:6] not in text


@pytest.mark.parametrize(
    "leave",
    [
        *(lambda pan, p=protocol: pickle.dumps(pan, p) for protocol in range(6)),
        copy.copy,
        copy.deepcopy,
        json.dumps,
        lambda pan: json.dumps({"pan": pan}, cls=DjangoJSONEncoder),
        orjson.dumps,
        hash,
        vars,
        iter,
        int,
        bytes,
        lambda pan: pan.__getstate__(),
        lambda pan: format(pan, "d"),
    ],
)
def test_leaves_by_no_other_way(leave: Callable[[Pan], object]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        leave(Pan(card_numbers.VISA))
    assert "11111" not in str(caught.value)


def test_is_not_revealed_by_a_template() -> None:
    template = Engine().from_string("{{ pan }}|{{ pan.reveal }}|{{ pan.last4 }}")
    page = template.render(Context({"pan": Pan(card_numbers.VISA)}))
    assert page == "****1111||1111"


def test_is_not_shown_by_a_traceback_with_its_locals() -> None:
    def fail(pan: Pan) -> None:
        raise RuntimeError(f"could not push to {pan!r}")

    with pytest.raises(RuntimeError) as caught:
        fail(Pan(card_numbers.VISA))
    inner = traceback.TracebackException.from_exception(caught.value, capture_locals=True).stack[-1]
    assert inner.locals == {"pan": "Pan(****1111)"}


@given(plausible_numbers(), plausible_numbers())
def test_equals_only_the_same_number(one: str, other: str) -> None:
    assert Pan(one) == Pan(one)
    assert (Pan(one) == Pan(other)) == (one == other)


def test_equals_no_string() -> None:
    assert Pan(card_numbers.VISA) != card_numbers.VISA


@pytest.mark.parametrize("name", ["_Pan__digits", "anything"])
def test_cannot_be_changed(name: str) -> None:
    pan = Pan(card_numbers.VISA)
    with pytest.raises(AttributeError):
        setattr(pan, name, card_numbers.MASTERCARD)
    with pytest.raises(AttributeError):
        delattr(pan, name)
    assert pan.reveal() == card_numbers.VISA


def test_networks_are_called_what_people_know_from_their_cards() -> None:
    said = {network.words for network in CardNetworkName}
    assert {"Visa", "Mastercard", "American Express", "JCB", "UnionPay"} < said
