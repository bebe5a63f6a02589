"""A batch from its upload to the findings about every line; nothing exists until it is issued."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from consumers.models import AuditEntry, CardStatus, Partner
from payouts.batch_files.findings import FileRefused, finding_words
from payouts.limits import Scope
from payouts.models import Batch, BatchFile, BatchRow, BatchState, BatchTally, Limit, Payment
from payouts.operations.batches.check_batch import check_batch_again, check_next_batch
from payouts.operations.batches.read_batch import read_next_batch
from tests.batches import HEADER, checked, codes, csv_file, line, rows_of, states, upload, xlsx_file
from tests.builders import MASTERCARD_NUMBER, VISA_NUMBER, make_card, make_consumer
from tests.pushes import make_funded_partner, make_payee, make_staff, push

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner()


def test_keeps_the_file_sealed_until_it_is_read(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    batch = upload(partner, mia, csv_file(line(card, "12.34", text="secret words")))
    assert b"secret" not in bytes(BatchFile.objects.get().sealed)
    assert not BatchRow.objects.exists()
    assert read_next_batch()
    assert not BatchFile.objects.exists()
    batch.refresh_from_db()
    assert (batch.state, batch.read_as) == (BatchState.CHECKING, "CSV, commas, UTF-8")
    (row,) = rows_of(batch)
    assert row.cells["description"] == "secret words"
    assert (row.state, row.amount) == ("new", Decimal("12.34"))


def test_leaves_an_entry_with_the_digest_of_the_file(partner: Partner, mia: User) -> None:
    batch = upload(partner, mia, csv_file(line(make_payee(partner=partner))))
    entry = AuditEntry.objects.get(verb="upload")
    assert entry.subject_id == str(batch.pk)
    assert entry.after["file"] == "november.csv"


def test_refuses_a_file_with_a_card_number_and_keeps_nothing(partner: Partner, mia: User) -> None:
    good = line(make_payee(partner=partner))
    batch = upload(partner, mia, csv_file(good, ["ada", VISA_NUMBER, "1.00", "", ""]))
    assert read_next_batch()
    batch.refresh_from_db()
    assert batch.state == BatchState.REFUSED
    assert batch.refusal == {"code": "card_number", "line": 3, "column": "card"}
    assert not BatchRow.objects.exists()
    assert not BatchFile.objects.exists()
    assert not BatchTally.objects.filter(rows__gt=0).exists()


def test_takes_no_card_number_in_a_name(partner: Partner, mia: User) -> None:
    with pytest.raises(FileRefused, match="card_number_in_name"):
        upload(partner, mia, b"consumer,amount\nada,1\n", name=f"for {VISA_NUMBER}")
    assert not Batch.objects.exists()


def test_finds_nothing_against_a_good_file(partner: Partner, mia: User) -> None:
    card, other = make_payee(partner=partner), make_payee(partner=partner)
    batch = checked(
        partner,
        mia,
        line(card, "10.00"),
        [str(other.consumer_id), str(other.pk), "20.50", "r-1", "x"],
        [other.consumer.pcid, "", "30.00", "", ""],
    )
    assert batch.state == BatchState.READY
    assert states(batch) == ["good", "good", "good"]
    assert [row.card_id for row in rows_of(batch)] == [card.pk, other.pk, other.pk]
    assert [codes(row) for row in rows_of(batch)] == [[], [], []]
    tally = BatchTally.objects.get(batch=batch, state="good")
    assert (tally.rows, tally.amount) == (3, Decimal("60.50"))
    assert not Payment.objects.exists()


def test_reads_a_workbook_all_the_same(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    batch = upload(partner, mia, xlsx_file([card.consumer.pcid, 1111, 8.41, "", ""]))
    read_next_batch()
    check_next_batch()
    (row,) = rows_of(batch)
    assert (row.state, row.amount, row.card_id) == ("good", Decimal("8.41"), card.pk)


def test_names_what_is_against_each_line(partner: Partner, mia: User) -> None:
    Limit.objects.create(partner=partner, scope=Scope.PUSH, max_amount=Decimal(5000))
    closed = make_card(consumer=make_consumer(partner=partner, is_active=False))
    expired = make_payee(partner=partner, expires=date(2020, 1, 31))
    inactive = make_payee(partner=partner, status=CardStatus.INACTIVE)
    refused = make_payee(partner=partner, push_eligible=False)
    two = make_payee(partner=partner)
    make_card(consumer=two.consumer, number=MASTERCARD_NUMBER)
    none = make_consumer(partner=partner)
    foreign = make_payee()
    batch = checked(
        partner,
        mia,
        ["nobody", "", "1.00", "", ""],
        line(closed),
        line(expired),
        line(inactive),
        line(refused),
        [two.consumer.pcid, "", "1.00", "", ""],
        [two.consumer.pcid, "9999", "1.00", "", ""],
        [none.pcid, "", "1.00", "", ""],
        [str(foreign.consumer_id), str(foreign.pk), "1.00", "", ""],
        [two.consumer.pcid, str(foreign.pk), "1.00", "", ""],
        line(two, "5000.01"),
        line(two, "20000.00"),
        [two.consumer.pcid, "visa", "x", "", ""],
    )
    assert [codes(row) for row in rows_of(batch)] == [
        ["consumer_not_found"],
        ["consumer_inactive"],
        ["card_expired"],
        ["card_inactive"],
        ["card_not_eligible"],
        ["card_ambiguous"],
        ["card_not_found"],
        ["card_missing"],
        ["consumer_not_found"],
        ["card_not_found"],
        ["limit_exceeded"],
        ["limit_exceeded", "insufficient_funds"],
        ["card_unclear", "amount_unclear"],
    ]
    assert set(states(batch)) == {"bad"}
    for row in rows_of(batch):
        for code, _, details in row.findings:
            assert "{" not in finding_words(code, details)
            assert finding_words(code, details) != code.replace("_", " ")


def test_takes_the_one_card_that_can_be_used(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    make_card(consumer=card.consumer, number=MASTERCARD_NUMBER, expires=date(2020, 1, 31))
    batch = checked(partner, mia, [card.consumer.pcid, "", "1.00", "", ""])
    assert [(row.state, row.card_id) for row in rows_of(batch)] == [("good", card.pk)]


def test_does_not_pay_a_repeated_line_and_warns_of_a_similar_one(
    partner: Partner, mia: User
) -> None:
    card = make_payee(partner=partner)
    batch = checked(
        partner,
        mia,
        line(card, "10.00", "a"),
        line(card, "10.00", "a"),
        line(card, "10.00", "b"),
        line(card, "10.01", "a"),
    )
    assert [row.findings for row in rows_of(batch)] == [
        [],
        [["repeats_line", True, {"line": 2}]],
        [["same_card_and_amount", False, {"line": 2}]],
        [],
    ]
    assert states(batch) == ["good", "bad", "good", "good"]
    assert [row.has_warning for row in rows_of(batch)] == [False, False, True, False]


def test_warns_of_the_same_push_of_the_last_days(partner: Partner, mia: User) -> None:
    card = make_payee(partner=partner)
    payment = push(card, amount="10.00")
    batch = checked(partner, mia, line(card, "10.00"), line(card, "11.00"))
    first, second = rows_of(batch)
    assert first.findings[0][2]["payment"] == str(payment.pk)
    assert (codes(first), codes(second)) == (["paid_recently"], [])


def test_warns_of_limits_and_money_that_lines_pass_together(partner: Partner, mia: User) -> None:
    Limit.objects.create(partner=partner, scope=Scope.CARD_DAY, max_count=1)
    Limit.objects.create(partner=partner, scope=Scope.CONSUMER_DAY, max_amount=Decimal(6000))
    card = make_payee(partner=partner)
    batch = checked(partner, mia, line(card, "6000.00"), line(card, "5000.00"))
    first, second = rows_of(batch)
    assert codes(first) == []
    assert second.findings == [
        ["limit_within_file", False, {"limit": "card_day_count", "maximum": "1"}],
        ["limit_within_file", False, {"limit": "consumer_day_amount", "maximum": "6000.00"}],
        ["funds_within_file", False, {}],
    ]


def test_is_checked_again_when_something_has_changed(partner: Partner, mia: User) -> None:
    consumer = make_consumer(partner=partner)
    batch = checked(
        partner, mia, [consumer.pcid, "", "1.00", "", ""], [consumer.pcid, "", "x", "", ""]
    )
    assert states(batch) == ["bad", "bad"]
    make_card(consumer=consumer)
    assert check_batch_again(batch.pk, by=mia)
    assert not check_batch_again(batch.pk, by=mia)
    assert check_next_batch()
    assert states(batch) == ["good", "bad"]
    assert codes(rows_of(batch)[1]) == ["amount_unclear"]


def test_only_its_uploader_has_it_checked_again(partner: Partner, mia: User) -> None:
    batch = checked(partner, mia, line(make_payee(partner=partner)))
    assert not check_batch_again(batch.pk, by=make_staff("max", "maker"))
    assert not check_next_batch()


def test_costs_the_same_for_any_number_of_lines(
    partner: Partner, mia: User, django_assert_num_queries: Any
) -> None:
    card = make_payee(partner=partner)
    for lines in (2, 60):
        amounts = [line(card, f"1.{number:02d}") for number in range(lines)]
        upload(partner, mia, csv_file(*amounts, header=(*HEADER, f"metadata.{lines}")))
        with django_assert_num_queries(13):
            read_next_batch()
        # The claim (four), the batch, the partner, lines, facts and result of a chunk, no more
        # lines, the end.
        with django_assert_num_queries(13):
            check_next_batch()
