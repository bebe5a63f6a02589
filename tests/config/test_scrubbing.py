import hashlib
import io
import logging
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from config.scrubbing import DEEPEST_NESTING, HIDDEN, ScrubbingFilter, scrub, scrub_mapping
from consumers.cards import Pan, is_plausible_number
from tests.consumers import card_numbers
from tests.consumers.card_numbers import (
    AMEX,
    DINERS,
    MASTERCARD,
    MASTERCARD_2_SERIES,
    UNIONPAY_19,
    VISA,
    plausible_numbers,
)

GAPS = ["", " ", "-", "  ", " - ", "\u00a0", "\u2013", "+", "%20", "%2D"]
UUID_LIKE_A_CARD = "aaaaaaaa-bbbb-7ccc-4111-111111111111"


@st.composite
def typed_numbers(draw: st.DrawFn) -> str:
    """A plausible number with any gap after any digit."""
    number = draw(plausible_numbers())
    gap = draw(st.sampled_from(GAPS))
    places = draw(st.sets(st.integers(0, len(number) - 2), max_size=6))
    return "".join(digit + gap * (place in places) for place, digit in enumerate(number))


def digits_in(text: str) -> str:
    return re.sub(r"%2[0D]|[^0-9]", "", text)


@pytest.mark.parametrize("number", card_numbers.ALL_NETWORKS)
def test_masks_a_number_of_every_network(number: str) -> None:
    assert scrub(f"card {number}, please") == f"card [card ending {number[-4:]}], please"


@given(typed_numbers())
@example(f"{MASTERCARD_2_SERIES[:4]} {MASTERCARD_2_SERIES[4:8]} {MASTERCARD_2_SERIES[8:]}")
@example(f"{AMEX[:4]}-{AMEX[4:10]}-{AMEX[10:]}")
@example(f"{UNIONPAY_19[:6]} {UNIONPAY_19[6:]}")
def test_masks_a_number_however_it_is_typed(typed: str) -> None:
    assert scrub(typed) == f"[card ending {digits_in(typed)[-4:]}]"


@pytest.mark.parametrize(
    "text",
    [
        f'"{VISA}"',
        f"pan={VISA}&cvv=",
        f"number={VISA[:4]}+{VISA[4:8]}+{VISA[8:12]}+{VISA[12:]}",
        f"q=%20{VISA}%20",
        f"({VISA})",
        f"*{VISA}*",
        f"_{VISA}_",
        f"card{VISA}",
        f"n{VISA}fedcbafedcba",
        f"{VISA}CAD",
        f"line one\n{VISA}\nline three",
        f"'line one\\n{VISA}\\n'",
        f";{VISA}=28122010000012345678?",
        f"{VISA}D28122010000012345678F",
        f"pan:{VISA};exp=2028-12",
        f"2026-10-15 {VISA} 12/28",
        f"3 {VISA} 100",
        f"100-{VISA}-12",
        f"5555 {VISA}",
        f"{VISA} {MASTERCARD}",
        f"{VISA} 3fa85f64-5717-4562-b3fc-2c963f66afa6",
        f"3fa85f64-5717-4562-b3fc-2c963f66afa6 {VISA}",
        f"{DINERS}.00",
    ],
)
def test_masks_a_number_among_other_things(text: str) -> None:
    scrubbed = scrub(text)
    assert not [number for number in (VISA, MASTERCARD, DINERS) if number in digits_in(scrubbed)]
    assert "[card ending " in scrubbed


@given(st.text("0123456789 -%abc", max_size=40), plausible_numbers(), st.text(max_size=40))
def test_masks_a_number_between_any_neighbours(before: str, number: str, after: str) -> None:
    assert number not in scrub(f"{before} {number} {after}")


def test_leaves_the_words_around_a_number() -> None:
    text = f"on 2026-10-15 Ann sent 100.00 to {VISA} (12/28), ref 42"
    assert scrub(text) == "on 2026-10-15 Ann sent 100.00 to [card ending 1111] (12/28), ref 42"


def test_masks_each_of_many_numbers() -> None:
    assert scrub(f"{VISA}, {AMEX}") == "[card ending 1111], [card ending 0005]"
    assert scrub(f"{VISA} {MASTERCARD}") == "[card ending 1111] [card ending 4444]"


def test_masks_the_whole_of_numbers_that_overlap() -> None:
    """Both the Visa number and all nineteen digits are plausible: neither may stay readable."""
    assert scrub(f"1 62 {VISA} 3 1") == "1 [card ending 1113] 1"


@given(st.lists(st.one_of(plausible_numbers(), st.text("0123456789 -", max_size=8)), max_size=4))
def test_leaves_no_plausible_number_of_whole_groups(parts: list[str]) -> None:
    groups = re.findall(r"[0-9]+", re.sub(r"\[card ending \d+\]", "x", scrub(" ".join(parts))))
    assert not any(is_plausible_number(group) for group in groups)


@given(st.text("0123456789 -+%2D\nabcxyz[]", max_size=60))
def test_changes_nothing_the_second_time(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


@given(st.text(max_size=60).filter(lambda text: sum(each.isdigit() for each in text) < 13))
def test_leaves_text_with_fewer_digits_than_a_card(text: str) -> None:
    assert scrub(text) == text


@given(st.uuids())
@example(UUID(UUID_LIKE_A_CARD))
@example(UUID(f"1{UUID_LIKE_A_CARD[1:]}"))
@example(UUID("12345678-1234-7123-8123-123456789012"))
def test_leaves_uuids(identifier: UUID) -> None:
    for text in (
        f"payment {identifier} sent",
        f"/v2/payments/oct/{identifier}/",
        f"7 {identifier}",
    ):
        assert scrub(text) == text


def test_is_tempted_by_the_uuid_that_the_test_above_uses() -> None:
    assert "[card ending 1111]" in scrub(UUID_LIKE_A_CARD.removeprefix("aaaaaaaa-bbbb-7ccc-"))


@given(st.binary(max_size=30))
@example(b"card 62")
def test_leaves_digests(content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    assert scrub(f"hash={digest}") == f"hash={digest}"


@pytest.mark.parametrize(
    "text",
    [
        "rrn=628812000001",
        "rrn=411111111111 stan=123456",
        "at 1791234567890 ms",
        "2026-10-15T12:34:56.123456+00:00 12345678",
        "4111111111111112",
        "9999999999999995",
        f"{VISA}0000",
        f"ab{VISA}cdef0123456789",
        "411111111111111",
        "127.0.0.1:55555 10.0.0.1",
        "",
    ],
)
def test_leaves_what_is_no_card_number(text: str) -> None:
    assert scrub(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "number",
        "pan",
        "PAN",
        "primaryAccountNumber",
        "senderPrimaryAccountNumber",
        "recipient_account_uri",
        "card-number",
        "cvv",
        "cvv2",
        "Card Number",
        "client_secret",
        "Authorization",
        "access_token",
        "taxIdentifier",
    ],
)
@pytest.mark.parametrize("value", ["123", 123, None, ["123"], {"deep": "123"}])
def test_hides_secret_names_whatever_they_hold(name: str, value: object) -> None:
    assert scrub_mapping({"card": [{name: value}]}) == {"card": [{name: HIDDEN}]}


def test_masks_numbers_at_any_depth_and_of_any_type() -> None:
    answer: dict[str, object] = {
        "note": f"to {VISA}",
        "list": [int(VISA), float(VISA), Decimal(VISA), f"{VISA}".encode()],
        "tuple": (VISA,),
        VISA: {"more": {"still": VISA}},
    }
    masked = "[card ending 1111]"
    scrubbed = scrub_mapping(answer)
    assert scrubbed["note"] == f"to {masked}"
    assert scrubbed["list"] == [masked, f"{masked}.0", masked, masked.encode()]
    assert scrubbed["tuple"] == (masked,)
    assert scrubbed[masked] == {"more": {"still": masked}}
    assert VISA in answer


def test_leaves_a_networks_answer_as_it_is() -> None:
    answer = {
        "transactionIdentifier": int(AMEX),
        "retrievalReferenceNumber": "628812000001",
        "systemsTraceAuditNumber": "123456",
        "statusIdentifier": VISA,
        "actionCode": "00",
        "approvalCode": "98765X",
        "amount": 100.25,
        "huge": 10**5000,
        "ok": True,
        "none": None,
    }
    assert scrub_mapping(answer) == answer


def test_ends_in_a_structure_that_contains_itself() -> None:
    loop: dict[str, object] = {}
    loop["loop"] = loop
    scrubbed: object = scrub_mapping(loop)
    for _ in range(DEEPEST_NESTING):
        assert isinstance(scrubbed, dict)
        scrubbed = scrubbed["loop"]
    assert HIDDEN in str(scrubbed)


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """What a handler with the filter wrote for the logger `scrubbed`, extras included."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(ScrubbingFilter())
    handler.setFormatter(ExtraFormatter("%(message)s"))
    logger = logging.getLogger("scrubbed")
    logger.addHandler(handler)
    yield stream.getvalue
    logger.removeHandler(handler)


class ExtraFormatter(logging.Formatter):
    """Writes the extra `note` too, as a structured formatter would."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record) + f" note={getattr(record, 'note', None)!r}"


LOGGER = logging.getLogger("scrubbed.child")


def test_scrubs_the_message(written: Callable[[], str]) -> None:
    LOGGER.warning(f"declined {VISA}")
    assert written() == "declined [card ending 1111] note=None\n"


def test_scrubs_a_number_spread_over_arguments(written: Callable[[], str]) -> None:
    LOGGER.warning("declined %s %s, 100%%", VISA[:8], VISA[8:])
    LOGGER.warning("declined %(card)d", {"card": int(VISA)})
    assert "declined [card ending 1111], 100% note" in written()
    assert VISA not in digits_in(written())


def test_leaves_a_percent_sign_of_the_message_alone(written: Callable[[], str]) -> None:
    LOGGER.warning("100%s sure")
    assert "100%s sure" in written()


@pytest.mark.parametrize(
    "note", [VISA, int(VISA), {"card": VISA}, [VISA], ValueError(f"bad {VISA}"), VISA.encode()]
)
def test_scrubs_extras(written: Callable[[], str], note: object) -> None:
    LOGGER.warning("declined", extra={"note": note})
    assert VISA not in written()
    assert "[card ending 1111]" in written()


def test_leaves_extras_without_numbers(written: Callable[[], str]) -> None:
    note = ValueError("nothing to see")
    LOGGER.warning("declined", extra={"note": note})
    assert "note=ValueError('nothing to see')" in written()


def test_scrubs_a_traceback_with_its_cause(written: Callable[[], str]) -> None:
    try:
        try:
            raise KeyError(VISA)
        except KeyError as error:
            raise RuntimeError(f"no card {VISA}") from error
    except RuntimeError:
        LOGGER.exception("failed")
    assert VISA not in written()
    assert "RuntimeError: no card [card ending 1111]" in written()
    assert "KeyError: '[card ending 1111]'" in written()


def record_of(error: Exception) -> logging.LogRecord:
    try:
        raise error
    except Exception:
        return logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())


def test_takes_away_an_exception_that_could_be_formatted_again() -> None:
    record = record_of(ValueError(VISA))
    assert ScrubbingFilter().filter(record)
    assert record.exc_info is None
    assert "[card ending 1111]" in str(record.exc_text)


def test_keeps_an_exception_without_numbers() -> None:
    record = record_of(ValueError("nothing to see"))
    assert ScrubbingFilter().filter(record)
    assert record.exc_info is not None


def test_scrubs_the_text_that_an_earlier_handler_made() -> None:
    record = record_of(ValueError(VISA))
    logging.Formatter().format(record)
    ScrubbingFilter().filter(record)
    assert VISA not in logging.Formatter().format(record)


def test_scrubs_the_stack() -> None:
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed", (), None)
    record.stack_info = f"Stack: pay('{VISA}')"
    ScrubbingFilter().filter(record)
    assert record.stack_info == "Stack: pay('[card ending 1111]')"


class Unprintable:
    def __str__(self) -> str:
        raise ZeroDivisionError(VISA)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [("%d", (VISA,)), ("%s %s", (VISA,)), ("%s", (Unprintable(),)), (Unprintable(), ())],
)
def test_writes_a_sentence_for_what_cannot_be_formatted(
    written: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
    message: object,
    arguments: tuple[object, ...],
) -> None:
    LOGGER.warning(message, *arguments)
    assert "(arguments left out: " in written()
    assert VISA not in written() + "".join(capsys.readouterr())


def test_shows_no_digits_of_a_pan(written: Callable[[], str]) -> None:
    pan = Pan(VISA)
    LOGGER.warning("push to %s %r", pan, pan, extra={"note": {"card": pan}})
    assert written() == "push to ****1111 Pan(****1111) note={'card': Pan(****1111)}\n"
