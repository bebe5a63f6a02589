from datetime import UTC, datetime, timedelta

import pytest

from consumers.ids import first_id_at, new_id_at

BEGIN = datetime(2030, 1, 31, 12, 0, 0, tzinfo=UTC)


def test_keys_are_in_the_order_of_their_instants_to_the_microsecond() -> None:
    instants = [BEGIN + timedelta(microseconds=n) for n in range(3000)]
    keys = [new_id_at(instant) for instant in instants]
    assert keys == sorted(keys)
    assert len(set(keys)) == 3000


def test_a_key_is_a_version_seven() -> None:
    key = new_id_at(BEGIN + timedelta(microseconds=999_999))
    assert (key.version, key.variant) == (7, "specified in RFC 4122")


def test_keys_of_one_instant_are_not_alike() -> None:
    assert len({new_id_at(BEGIN) for _ in range(1000)}) == 1000


@pytest.mark.parametrize("microsecond", [0, 1, 999, 1000, 999_999])
def test_a_key_lies_within_its_millisecond(microsecond: int) -> None:
    instant = BEGIN.replace(microsecond=microsecond)
    later = instant + timedelta(milliseconds=1)
    assert first_id_at(instant) <= new_id_at(instant) < first_id_at(later)
