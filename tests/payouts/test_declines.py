from datetime import timedelta

import pytest

from payouts.declines import (
    APPROVAL_CODES,
    DECLINES,
    DUPLICATE_CODE,
    NETWORK_UNREACHABLE,
    UNCLEAR_CODES,
    NotADecline,
    WhoActs,
    decline_for,
    own_failure,
)

# The decline codes of the domain notes, in their rows: what the table must do with each.
DEACTIVATING = {"04", "07", "41", "43", "14", "15", "46"}
RETRYABLE = {"05", "06", "96", "19", "91", "51", "61", "65"}
OURS = {"03", "12", "13", "51", "92"}
COMPLIANCE = {"59", "63", "62", "93"}
ALL = DEACTIVATING | RETRYABLE | OURS | COMPLIANCE | {"01", "02", "54", "57"}

# A payee must not learn what the issuer suspects.
TELLING_WORDS = ("fraud", "stolen", "lost", "security", "law", "legal", "restricted", "closed")


def test_has_every_code_of_the_domain_and_no_other() -> None:
    assert set(DECLINES) == ALL


def test_gives_every_code_a_failure_code_of_its_own() -> None:
    codes = [decline.code for decline in DECLINES.values()]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code == code.lower() for code in codes)


def test_deactivates_exactly_the_dead_cards() -> None:
    assert {code for code, decline in DECLINES.items() if decline.deactivates_card} == DEACTIVATING


def test_marks_only_a_card_that_may_not_receive_pushes() -> None:
    assert {c for c, decline in DECLINES.items() if decline.marks_not_push_capable} == {"57"}


def test_retries_only_what_may_succeed_later() -> None:
    assert {code for code, decline in DECLINES.items() if decline.retryable} == RETRYABLE


@pytest.mark.parametrize("code", ["61", "65"])
def test_does_not_retry_a_limit_on_the_same_day(code: str) -> None:
    assert decline_for(code).retry_after == timedelta(days=1)


def test_retries_do_not_honor_once_at_most() -> None:
    assert decline_for("05").retry_limit == 1


def test_sends_each_code_to_whom_it_belongs() -> None:
    assert {c for c, d in DECLINES.items() if d.who_acts is WhoActs.US} == OURS
    assert {c for c, d in DECLINES.items() if d.who_acts is WhoActs.COMPLIANCE} == COMPLIANCE


@pytest.mark.parametrize("code", sorted(ALL))
def test_tells_the_payee_nothing_that_gives_a_reason_away(code: str) -> None:
    text = decline_for(code).payee_text.lower()
    assert not [word for word in TELLING_WORDS if word in text]


@pytest.mark.parametrize("code", ["77", "N7", "", "??"])
def test_never_retries_a_code_that_it_does_not_know(code: str) -> None:
    decline = decline_for(code)
    assert decline.network_code == code
    assert not decline.retryable
    assert not decline.deactivates_card
    assert decline.who_acts is WhoActs.US


@pytest.mark.parametrize("code", sorted(APPROVAL_CODES | UNCLEAR_CODES | {DUPLICATE_CODE}))
def test_refuses_to_call_a_failure_what_may_have_been_paid(code: str) -> None:
    with pytest.raises(NotADecline):
        decline_for(code)


def test_lets_a_push_that_never_left_be_retried() -> None:
    assert own_failure("network_unreachable") is NETWORK_UNREACHABLE
    assert NETWORK_UNREACHABLE.retryable
