"""The evidence about one push: complete, without a card number, checkable, and audited."""

import hashlib
import json
from hashlib import sha256
from html import unescape
from typing import Any

import pytest
from django.test import Client

from consumers.models import AuditEntry
from consumers.operations.cards import edit_card
from consumers.operations.consumers import update_consumer
from payouts.deciding.decision_proofs import verify_decisions
from payouts.deciding.signatures import marks_of
from payouts.models import Attempt, Payment
from payouts.operations.link_audit import link_audit_trail
from payouts.operations.record_outcome import record_outcome
from tests.back_office import browser, page_address, text_of
from tests.builders import VISA_NUMBER, make_card, make_consumer
from tests.decisions import approve_payment
from tests.passkeys import Passkey
from tests.payouts.operations.test_signed_decisions import approve, sign, statement
from tests.pushes import (
    APPROVED,
    claim,
    digest_of,
    make_funded_partner,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
)

pytestmark = pytest.mark.django_db


def address(payment: Payment, part: str = "") -> str:
    return f"/admin/push/{payment.pk}/evidence/{part}"


@pytest.fixture
def auditor() -> Client:
    return browser("auditor")


def test_a_print_tells_all_and_can_be_checked(auditor: Client) -> None:
    payment = push_submitted(make_payee(), amount="1250.00", reference="INV-1")
    record_outcome(payment.pk, APPROVED)
    page = text_of(auditor.get(address(payment)))
    content = auditor.get(address(payment, "document/")).content
    for part in (
        "$1,250.00 to Ada Example", "INV-1", "Paid", "12345S", "Sent to the card network",
        "Available", hashlib.sha256(content).hexdigest(),
    ):  # fmt: skip
        assert part in page, part
    document = json.loads(content)
    assert [event["kind"] for event in document["history"]] == ["created", "sent", "completed"]
    assert document["push"]["amount"] == "1250.00"
    assert len(document["journals"]) == 2


def test_the_document_is_the_same_until_something_happens(auditor: Client) -> None:
    payment = push_for_approval(make_payee())
    first = auditor.get(address(payment, "document/")).content
    assert auditor.get(address(payment, "document/")).content == first
    approver = make_staff("first", "approver")
    approve_payment(payment.pk, by=approver, digest=digest_of(payment), reason="Seen")
    second = auditor.get(address(payment, "document/")).content
    assert second != first
    (decision,) = json.loads(second)["decisions"]
    assert decision["sha256_of_what_was_seen"] == digest_of(payment).hex()


@pytest.mark.django_db(transaction=True)
def test_names_the_blocks_that_its_rows_are_linked_in(auditor: Client) -> None:
    payment = push(make_payee())
    assert "not linked yet" in text_of(auditor.get(address(payment)))
    head = link_audit_trail().head
    page = text_of(auditor.get(address(payment)))
    assert "not linked yet" not in page
    assert str(head) in page


@pytest.mark.parametrize(("part", "kind"), [("", "page"), ("document/", "json"), ("pdf/", "pdf")])
def test_taking_it_is_an_export(auditor: Client, part: str, kind: str) -> None:
    payment = push(make_payee())
    assert auditor.get(address(payment, part)).status_code == 200
    entry = AuditEntry.objects.get(verb="export")
    assert (entry.subject_id, entry.after["as"]) == (str(payment.pk), kind)
    assert len(entry.after["sha256"]) == 64


def test_a_pdf_is_drawn_whatever_the_names_are(auditor: Client) -> None:
    consumer = make_consumer(
        partner=make_funded_partner(), first_name="Łucja 文", last_name="Ñ" * 90
    )
    payment = push(make_card(consumer=consumer), description="long " * 90)
    answer = auditor.get(address(payment, "pdf/"))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")


def test_no_card_number_slips_through(auditor: Client) -> None:
    payment = push_submitted(make_payee())
    Attempt.objects.filter(pk=payment.pk).update(answer={"note": f"card {VISA_NUMBER} ok"})
    for part in ("", "document/"):
        assert VISA_NUMBER not in auditor.get(address(payment, part)).content.decode()


def test_whoever_may_not_see_the_ledger_gets_no_journals() -> None:
    payment = push(make_payee())
    maker = browser("maker")
    assert json.loads(maker.get(address(payment, "document/")).content)["journals"] == (
        "not for this reader"
    )
    assert "Journals" not in text_of(maker.get(address(payment)))


@pytest.mark.parametrize("part", ["", "document/", "pdf/"])
def test_a_viewer_takes_none(part: str) -> None:
    payment = push(make_payee())
    assert browser("viewer").get(address(payment, part)).status_code == 403
    assert not AuditEntry.objects.filter(verb="export").exists()


def test_there_is_none_of_what_is_not_there(auditor: Client) -> None:
    absent = "/admin/push/00000000-0000-7000-8000-000000000000/evidence/"
    assert auditor.get(absent).status_code == 404


def test_the_page_of_a_push_says_who_looked(auditor: Client) -> None:
    payment = push(make_payee())
    browser("viewer", username="nosy").get(page_address(payment))
    page = text_of(auditor.get(page_address(payment)))
    assert "Who looked nosy view" in page
    assert "For print" in page


def test_costs_the_same_whatever_happened(auditor: Client, django_assert_num_queries: Any) -> None:
    payment = push_submitted(make_payee())
    auditor.get(address(payment, "document/"))
    # Session, person, two for permissions, the push; events, requirements, decisions, postings,
    # names, blocks, head; the entry; then the session is written anew (three).
    with django_assert_num_queries(16):
        auditor.get(address(payment, "document/"))


def test_names_whom_each_was_about_and_stays_the_same_when_the_payee_is_renamed(
    auditor: Client,
) -> None:
    payment = push_for_approval(make_payee(cardholder_name="A EXAMPLE"))
    update_consumer(payment.consumer, last_name="Married")
    approve_payment(payment.pk, by=make_staff("first", "approver"), digest=digest_of(payment))
    claim(payment)
    first = auditor.get(address(payment, "document/")).content
    edit_card(payment.card, cardholder_name="E OTHER")
    update_consumer(payment.consumer, first_name="Eve", pcid="other-1")
    assert auditor.get(address(payment, "document/")).content == first
    document = json.loads(first)
    assert document["push"]["consumer"]["name"] == "Ada Example"
    assert document["push"]["card"]["cardholder"] == "A EXAMPLE"
    assert document["decisions"][0]["payee_seen"] == {
        "name": "Ada Married", "cardholder": "A EXAMPLE",
    }  # fmt: skip
    assert document["network"]["recipient_name"] == "A EXAMPLE"
    page = text_of(auditor.get(address(payment)))
    for part in (
        "$100.00 to Ada Example", "Edited since Name is Eve Married today, and was Ada Example",
        "Edited since pcid is other-1 today", "Name on the card is E OTHER today",
        "Payee that first saw Ada Married, on the card A EXAMPLE", "Renaming, 3 rows",
    ):  # fmt: skip
        assert part in page, part
    assert auditor.get(address(payment, "pdf/")).content.startswith(b"%PDF-")


def test_a_signed_decision_stands_with_its_signature(auditor: Client) -> None:
    payment = push_for_approval(make_payee())
    carla, passkey = make_staff("carla", "approver"), Passkey()
    passkey.add_to(carla)
    said = statement(carla, payment)
    approve(payment, carla, sign(carla, passkey, said))
    document = json.loads(auditor.get(address(payment, "document/")).content)
    (decision,) = document["decisions"]
    assert decision["statement"] == said.text()
    page = text_of(auditor.get(address(payment)))
    assert " ".join(said.text().split()) in " ".join(unescape(page).split())
    assert decision["signature"] in page
    assert decision["public_key"] in page
    shown = text_of(auditor.get(page_address(payment)))
    assert " ".join(said.text().split()) in " ".join(unescape(shown).split())


def test_one_of_many_is_verified_by_its_own_evidence(auditor: Client) -> None:
    payment = push_for_approval(make_payee())
    carla, passkey = make_staff("carla", "approver"), Passkey()
    passkey.add_to(carla)
    own = marks_of([(payment.pk, digest_of(payment))])
    others = [bytes([number % 251]) * 48 for number in range(700)]
    said = statement(carla, payment, marks=b"".join([*others[:300], own, *others[300:]]))
    approve(payment, carla, sign(carla, passkey, said).further(300))
    document = json.loads(auditor.get(address(payment, "document/")).content)
    (decision,) = document["decisions"]
    # By hand: the mark in its part, the part among the digests, those in what was signed.
    part = bytes.fromhex(decision["marks_of_its_part"])
    place = decision["place_in_statement"]
    assert part[place % 256 * 48 :][:48].hex() == decision["mark"] == own.hex()
    digests = decision["sha256_of_each_part"]
    assert sha256(part).hexdigest() == digests[place // 256]
    whole = sha256(bytes.fromhex("".join(digests))).hexdigest()
    assert decision["statement"].splitlines()[-2:] == ["pushes 701", f"marks {whole}"]
    assert verify_decisions().wrong == 0
