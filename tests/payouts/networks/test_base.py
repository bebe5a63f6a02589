from dataclasses import astuple
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from payouts.networks.base import Approved, Declined, Push, identity_from_sequence

AT = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
NUMBER = "4111111111111111"


def make_identity(sequence: int, *, at: datetime = AT) -> tuple[str, ...]:
    identity = identity_from_sequence(
        sequence, at=at, acquiring_bin="400171", card_acceptor_id="PAYOUTS"
    )
    return astuple(identity)


def test_writes_the_five_values_as_the_network_wants_them() -> None:
    assert make_identity(7_000_042) == ("400171", "000042", "603404000042", "PAYOUTS", "PT000007")


def test_counts_the_hour_in_utc() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=-8)))
    assert make_identity(1, at=elsewhere) == make_identity(1)


def test_stays_unique_beyond_a_million_in_one_hour() -> None:
    assert make_identity(5) != make_identity(1_000_005)


@pytest.mark.parametrize("sequence", [-1, 10**12])
def test_refuses_a_sequence_that_would_come_round(sequence: int) -> None:
    with pytest.raises(ValueError, match="sequence"):
        make_identity(sequence)


def test_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        make_identity(1, at=AT.replace(tzinfo=None))


def test_never_shows_the_card_number_of_a_push() -> None:
    push = Push(
        identity=identity_from_sequence(1, at=AT, acquiring_bin="400171", card_acceptor_id="P"),
        number=NUMBER,
        expiration_month=1,
        expiration_year=2030,
        amount=Decimal("1.00"),
        currency="USD",
        recipient_name="Ada",
        description="",
    )
    assert NUMBER not in repr(push)
    assert NUMBER not in f"{push}"


@pytest.mark.parametrize("code", ["05", "94", ""])
def test_refuses_to_approve_with_another_code(code: str) -> None:
    with pytest.raises(ValueError, match="not an approval"):
        Approved(code, "A1", "1")


@pytest.mark.parametrize("code", ["00", "11", "94", "10"])
def test_refuses_to_decline_what_may_have_been_paid(code: str) -> None:
    with pytest.raises(ValueError, match="not a decline"):
        Declined(code)
