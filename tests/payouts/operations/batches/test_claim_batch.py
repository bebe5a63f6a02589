"""A file that ends whoever works on it is tried some times, and then set aside."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from consumers.models import Partner
from payouts.backoffice.batch_words import refusal_of
from payouts.models import Batch, BatchFile, BatchState
from payouts.operations.batches import check_batch, read_batch
from payouts.operations.batches.check_batch import check_next_batch
from payouts.operations.batches.claim_batch import MOST_TRIES, claim_batch
from payouts.operations.batches.read_batch import read_next_batch
from tests.batches import csv_file, line, upload
from tests.pushes import make_funded_partner, make_payee

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner()


@pytest.fixture
def batch(partner: Partner, mia: User) -> Batch:
    return upload(partner, mia, csv_file(line(make_payee(partner=partner))))


def let_leases_pass() -> None:
    Batch.objects.update(leased_until=None)


def die(*_anything: Any) -> Any:
    raise SystemExit


@pytest.mark.parametrize(
    ("state", "room", "deed"),
    [
        (BatchState.READING, read_batch, "_stored"),
        (BatchState.CHECKING, check_batch, "_check"),
    ],
)
def test_is_set_aside_after_so_many_deaths_and_lets_the_next_one_pass(
    batch: Batch, partner: Partner, mia: User, monkeypatch: Any, state: Any, room: Any, deed: str
) -> None:
    work = read_next_batch if state == BatchState.READING else check_next_batch
    if state == BatchState.CHECKING:
        read_next_batch()
    with monkeypatch.context() as broken:
        broken.setattr(room, deed, die)
        for _ in range(MOST_TRIES):
            with pytest.raises(SystemExit):
                work()
            let_leases_pass()
    batch.refresh_from_db()
    assert (batch.state, batch.tries) == (state, MOST_TRIES)
    after = upload(partner, mia, csv_file(line(make_payee(partner=partner))), name="After")
    if state == BatchState.CHECKING:
        read_next_batch()
    assert work()
    batch.refresh_from_db()
    after.refresh_from_db()
    assert batch.state == BatchState.REFUSED
    assert f"{MOST_TRIES} times" in refusal_of(batch)
    assert not BatchFile.objects.filter(batch=batch).exists()
    assert after.state != state


def test_a_death_or_two_do_no_harm(batch: Batch, monkeypatch: Any) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(read_batch, "_stored", die)
        with pytest.raises(SystemExit):
            read_next_batch()
    assert not read_next_batch()
    let_leases_pass()
    assert read_next_batch()
    batch.refresh_from_db()
    assert (batch.state, batch.tries, batch.leased_until) == (BatchState.CHECKING, 0, None)
    assert check_next_batch()


def test_nobody_takes_what_somebody_has_just_taken(batch: Batch) -> None:
    claim = claim_batch(BatchState.READING)
    assert claim is not None
    assert claim_batch(BatchState.READING) is None
    batch.refresh_from_db()
    assert batch.tries == 1
