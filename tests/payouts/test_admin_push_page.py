"""The page of one push: all that happened, nothing that must not be seen, at a fixed cost."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from consumers.ids import new_id
from consumers.operations.consumers import update_consumer
from payouts.models import Attempt, Payment
from payouts.operations.record_outcome import record_outcome
from tests.back_office import LIST, browser, page_address, superuser_browser, text_of
from tests.builders import VISA_NUMBER
from tests.decisions import approve_payment, reject_payment
from tests.payouts.webhooks.cast import BAD, answer, claimed, make_deliveries, make_webhook
from tests.pushes import (
    APPROVED,
    declined,
    digest_of,
    fresh,
    make_payee,
    make_rule,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
)

pytestmark = pytest.mark.django_db


def page_text(client: Client, payment: Payment) -> str:
    response = client.get(page_address(payment))
    assert response.status_code == 200
    return text_of(response)


def test_tells_the_whole_story_of_a_paid_push() -> None:
    payment = push_submitted(
        make_payee(), amount="1250.00", reference="INV-1", metadata={"claim": "C-77"}
    )
    record_outcome(payment.pk, APPROVED)
    attempt = Attempt.objects.get(pk=payment.pk)
    page = page_text(browser("auditor"), payment)
    for part in (
        "$1,250.00 completed", "Ada Example", "Visa 41111111 ···· 1111", "Paid. The card network",
        "Asked for and accepted", "Sent to the card network", "Payroll server",
        attempt.retrieval_reference_number, attempt.trace_number, "12345S", "INV-1", "C-77",
        str(payment.pk), "Available", "Held", "Payable to network sandbox",
    ):  # fmt: skip
        assert part in page, part


def test_says_why_a_push_failed_and_who_acts() -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, declined("05"))
    page = page_text(browser("viewer"), payment)
    for part in ("declined without a reason", "do_not_honor", "05", "Who acts Issuer", "Possible"):
        assert part in page, part


def test_warns_of_a_second_push_while_one_is_in_doubt() -> None:
    assert "Do not push the amount again" in page_text(
        browser("viewer"), push_unknown(make_payee())
    )


def test_shows_what_was_required_and_decided() -> None:
    make_rule(name="treasury looks", decisions=2, group=Group.objects.get(name="approver"))
    payment = push(make_payee())
    approver = make_staff("first", "approver")
    client = browser("viewer")
    assert "Nobody has decided yet" in page_text(client, payment)
    approve_payment(payment.pk, by=approver, digest=digest_of(payment), reason="Seen the invoice")
    page = page_text(client, payment)
    assert "treasury looks" in page
    assert "approver 1 of 2 given" in page
    assert "Approved by first" in page
    assert "Seen the invoice" in page


def test_says_that_nobody_is_left_who_may_approve() -> None:
    payment = push_for_approval(make_payee(), decisions=2)
    first = make_staff("first", "approver")
    approve_payment(payment.pk, by=first, digest=digest_of(payment))
    client = browser("viewer")
    page = page_text(client, payment)
    assert (
        "Blocked: nobody is left who may approve it. anybody who may approve 1 of 2 given" in page
    )
    make_staff("second", "approver")
    assert "Blocked" not in page_text(client, payment)


def test_says_which_approvals_count_no_more_while_it_waits() -> None:
    payment = push_for_approval(make_payee(), decisions=2)
    make_staff("second", "approver")
    first = make_staff("first", "approver")
    approve_payment(payment.pk, by=first, digest=digest_of(payment))
    update_consumer(payment.consumer, last_name="Other")
    page = page_text(browser("viewer"), payment)
    assert "0 of 2 given" in page
    assert "Counts no more: the consumer or the card was edited since." in page
    reject_payment(payment.pk, by=first, digest=digest_of(payment))
    assert "Counts no more" not in page_text(browser("viewer", username="other"), payment)


def test_masks_a_number_that_slipped_into_an_answer() -> None:
    payment = push_submitted(make_payee())
    slipped = {"recipientPrimaryAccountNumber": VISA_NUMBER, "note": f"card {VISA_NUMBER} ok"}
    Attempt.objects.filter(pk=payment.pk).update(answer={"actionCode": "00", **slipped})
    response = superuser_browser().get(page_address(payment))
    assert VISA_NUMBER not in response.content.decode()
    assert "actionCode" in text_of(response)


def test_keeps_the_ledger_from_those_who_may_not_see_it() -> None:
    payment = push(make_payee())
    assert "Journals" not in page_text(browser("viewer"), payment)
    assert "Journal" in page_text(browser("operations", username="ops"), payment)


@pytest.mark.parametrize("verb", ["add", "change", "delete", "history"])
def test_nobody_edits_it(verb: str) -> None:
    payment = push(make_payee())
    root = superuser_browser()
    address = f"{LIST}add/" if verb == "add" else page_address(payment, verb)
    before = Payment.objects.values().get()
    answer = root.post(address, {"amount": "1", "status": "completed", "post": "yes"})
    assert answer.status_code in (403, 405) or verb == "history"
    assert Payment.objects.values().get() == before


def test_names_people_in_the_history_and_the_journals() -> None:
    payment = push_for_approval(make_payee())
    mia = make_staff("mia", "approver")
    User.objects.filter(pk=mia.pk).update(first_name="Mia", last_name="Moss")
    reject_payment(payment.pk, by=mia, digest=digest_of(payment))
    page = page_text(browser("auditor"), payment)
    assert page.count("Mia Moss (mia)") == 2
    assert "staff: mia" not in page


@pytest.mark.parametrize("key", ["x", str(new_id()), "1", "00000000-0000-0000-0000-00000000000g"])
def test_sends_back_from_a_page_that_does_not_exist(key: str) -> None:
    answer = browser("viewer").get(f"{LIST}{key}/change/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


# Session, person, two for permissions, the payment with all that stands beside it, what the payee
# was named, history, what the network told, the entry about who looked; then the session is written
# anew (three).
@pytest.mark.parametrize("events", [1, 3])
def test_asks_a_fixed_number_of_statements(events: int, django_assert_num_queries: Any) -> None:
    payment = push(make_payee()) if events == 1 else fresh(push_unknown(make_payee()))
    client = browser("viewer")
    with django_assert_num_queries(12):
        client.get(page_address(payment))


@pytest.mark.parametrize("decided", [0, 2])
def test_asks_more_only_for_what_the_reader_may_see(
    decided: int, django_assert_num_queries: Any
) -> None:
    payment = push_for_approval(make_payee(), decisions=3)
    for number in range(decided):
        approver = make_staff(f"approver {number}", "approver")
        approve_payment(payment.pk, by=approver, digest=digest_of(payment))
    client = browser("auditor")
    # Journals with their postings, requirements, decisions, webhooks, who looked; editors, whoever
    # may approve and whoever has, these two with their groups (nobody is asked about in vain);
    # the names of staff in the history.
    with django_assert_num_queries(12 + 5 + (6 if decided else 2)):
        client.get(page_address(payment))


def test_names_the_payee_of_then_and_says_what_was_edited_since() -> None:
    payment = push_for_approval(make_payee(cardholder_name="A EXAMPLE"), decisions=2)
    first = make_staff("first", "approver")
    approve_payment(payment.pk, by=first, digest=digest_of(payment))
    update_consumer(payment.consumer, first_name="Eve", last_name="Other")
    approve_payment(payment.pk, by=first, digest=digest_of(payment))
    page = page_text(browser("viewer"), payment)
    assert "to Ada Example ," in page
    assert "Edited since: Name was Ada Example, is Eve Other" in page
    assert page.count("The payee was then") == 1
    assert "The payee was then Eve Other, on the card A EXAMPLE" in page


def test_says_who_was_told_and_what_they_answered() -> None:
    webhook = make_webhook()
    make_deliveries(webhook)
    payment = Payment.objects.get()
    answer(claimed()[0], BAD)
    seen = "payment.oct.created https://hooks.test-partner.com/payouts due 1 500"
    assert seen in text_of(browser("operations").get(page_address(payment)))
    assert seen not in text_of(browser("viewer", username="other").get(page_address(payment)))
