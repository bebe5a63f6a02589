"""The board of pushes in doubt, the page of one, and the way to its end."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consumers.models import AuditEntry, CardStatus, PaymentCard
from payouts.models import ChangeRequest, EvidenceFile, Payment
from payouts.networks.base import NotFound
from payouts.operations.inquire import record_finding
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.back_office import browser, browser_of, text_of
from tests.books import assert_books_are_right, journals
from tests.doubts import LETTER, propose, two_operators
from tests.pushes import APPROVED, make_payee, push_unknown, status_of

pytestmark = pytest.mark.django_db

BOARD = "/admin/in-doubt/"
EVERYBODY = ("viewer", "maker", "approver", "operations", "admin", "auditor")


@pytest.fixture
def unknown() -> Payment:
    return push_unknown(make_payee())


@pytest.fixture
def people() -> tuple[User, User]:
    return two_operators()


def page(payment: Payment, verb: str = "") -> str:
    return f"{BOARD}{payment.pk}/{verb}"


def claim(verdict: str = "completed", content: bytes = LETTER.content) -> dict[str, Any]:
    file = SimpleUploadedFile("letter.pdf", content)
    return {"verdict": verdict, "file": file, "reason": "Their support wrote"}


def decision(change: ChangeRequest, verdict: str = "approve") -> dict[str, str]:
    return {"seen": bytes(change.digest).hex(), "verdict": verdict, "reason": "I read it"}


# Looking


@pytest.mark.parametrize("role", EVERYBODY)
def test_everybody_sees_the_board_and_only_some_get_buttons(role: str, unknown: Payment) -> None:
    client = browser(role)
    for address in (BOARD, page(unknown), f"{BOARD}rows/"):
        answer = client.get(address)
        assert answer.status_code == 200
    has_button = b"Ask now" in client.get(BOARD).content
    assert has_button == (role in ("operations", "admin"))
    assert (b"Resolve with evidence" in client.get(page(unknown)).content) == has_button


def test_the_board_says_what_there_is_to_know(unknown: Payment) -> None:
    said = text_of(browser("viewer").get(BOARD))
    rrn = unknown.attempt.retrieval_reference_number
    for words in ("$100.00", "Ada Example", rrn, "Not asked yet: no answer in time", "Asked next"):
        assert words in said


def test_says_that_it_does_not_go_again_to_a_card_that_was_deactivated(unknown: Payment) -> None:
    record_finding(unknown.pk, NotFound())
    client = browser("operations")
    for address in (BOARD, page(unknown)):
        assert "not sent again" not in text_of(client.get(address))
    PaymentCard.objects.filter(pk=unknown.card_id).update(status=CardStatus.INACTIVE)
    for address in (BOARD, page(unknown)):
        said = text_of(client.get(address))
        assert "does not have it, and it is not sent again: the card is deactivated" in said


def test_an_empty_board_says_so() -> None:
    assert "Nothing is in doubt" in text_of(browser("viewer").get(BOARD))


def test_the_board_is_a_fixed_number_of_statements(statements: Any) -> None:
    client, card = browser("operations"), make_payee()
    push_unknown(card)
    with statements() as few:
        client.get(BOARD)
    for _ in range(6):
        push_unknown(card)
    with statements() as many:
        client.get(BOARD)
    assert len(many) == len(few)
    assert len([one for one in many if "payouts_payment" in one or "payouts_change" in one]) <= 4


def test_pages_go_on_where_the_last_one_ended() -> None:
    card = make_payee()
    pushes = [push_unknown(card) for _ in range(27)]
    client = browser("viewer")
    first = client.get(BOARD)
    (later,) = re.findall(r"after=([0-9a-f-]{36})", first.content.decode())
    second = client.get(f"{BOARD}?after={later}").content.decode()
    assert str(pushes[0].pk) in first.content.decode()
    assert [str(one.pk) in second for one in (pushes[24], pushes[25], pushes[26])] == [
        False, True, True,
    ]  # fmt: skip
    assert client.get(f"{BOARD}?after=x").status_code == 404


# Asking


def test_asking_makes_it_due(unknown: Payment, people: tuple[User, User]) -> None:
    client = browser_of(people[0])
    answer = client.post(page(unknown, "ask/"), follow=True)
    assert "The network is being asked" in text_of(answer)
    assert "Asking now" in text_of(client.get(BOARD))


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "auditor"])
def test_others_are_refused(role: str, unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    client = browser(role)
    assert client.post(page(unknown, "ask/")).status_code == 403
    assert client.post(page(unknown, "propose/"), claim()).status_code == 403
    for verb in ("decide", "withdraw"):
        address = f"/admin/resolutions/{change.pk}/{verb}/"
        assert client.post(address, decision(change)).status_code == 403
    assert status_of(unknown) is Status.UNKNOWN
    change.refresh_from_db()
    assert (change.state, ChangeRequest.objects.count()) == ("proposed", 1)


# Resolving


def test_two_people_resolve_it(unknown: Payment, people: tuple[User, User]) -> None:
    answer = browser_of(people[0]).post(page(unknown, "propose/"), claim(), follow=True)
    assert "Proposed. No money moves" in text_of(answer)
    change = ChangeRequest.objects.get()
    decider = browser_of(people[1])
    assert "Look at the evidence first" in text_of(decider.get(page(unknown)))
    address = f"/admin/resolutions/{change.pk}/decide/"
    assert "Decided and booked." in text_of(decider.post(address, decision(change), follow=True))
    assert status_of(unknown) is Status.COMPLETED
    assert_books_are_right()


def test_a_decision_asks_for_a_second_factor(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    client = Client()
    browser_of(people[1], client=client)
    session = client.session
    session["account_authentication_methods"] = [
        {**one, "at": one["at"] - 3600} for one in session["account_authentication_methods"]
    ]
    session.save()
    answer = client.post(f"/admin/resolutions/{change.pk}/decide/", decision(change))
    assert "Confirm that it is you" in text_of(answer)
    assert status_of(unknown) is Status.UNKNOWN


def test_the_proposer_gets_no_button_to_decide(unknown: Payment, people: tuple[User, User]) -> None:
    propose(unknown, by=people[0])
    said = text_of(browser_of(people[0]).get(page(unknown)))
    assert "Agree and book it" not in said
    assert "Take it back" in said


def test_the_proposer_takes_it_back(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    browser_of(people[0]).post(f"/admin/resolutions/{change.pk}/withdraw/")
    change.refresh_from_db()
    assert (change.state, status_of(unknown)) == ("withdrawn", Status.UNKNOWN)


def test_an_answer_meanwhile_is_said(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    record_outcome(unknown.pk, APPROVED)
    address = f"/admin/resolutions/{change.pk}/decide/"
    answer = browser_of(people[1]).post(address, decision(change), follow=True)
    assert "does not wait for a decision any more" in text_of(answer)
    assert "The network answered meanwhile: paid" in text_of(answer)
    assert journals(unknown) == ["accepted", "completed"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty."),
        (b"MZ\x00", "Take a PDF"),
        (b"%PDF-" + b"x" * 5_300_000, "at most 5 MB"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_evidence_is_refused(
    unknown: Payment, people: tuple[User, User], content: bytes, said: str
) -> None:
    answer = browser_of(people[0]).post(page(unknown, "propose/"), claim(content=content))
    assert said in text_of(answer)
    assert not EvidenceFile.objects.exists()
    assert not ChangeRequest.objects.exists()


def test_money_that_came_back_is_proposed_on_the_same_page(
    unknown: Payment, people: tuple[User, User]
) -> None:
    record_outcome(unknown.pk, APPROVED)
    client = browser_of(people[0])
    assert "Record that the money came back" in text_of(client.get(page(unknown)))
    client.post(page(unknown, "propose/"), claim("returned"))
    assert ChangeRequest.objects.get().kind == "return_payment"


# Evidence


def test_evidence_is_downloaded_on_record(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    answer = browser("auditor").get(f"/admin/evidence/{change.after['evidence']}/")
    assert answer.content == LETTER.content
    assert answer.headers["Content-Disposition"] == 'attachment; filename="letter.pdf"'
    assert AuditEntry.objects.get(verb="reveal").after["sha256"] == change.after["sha256"]


@pytest.mark.parametrize("role", ["viewer", "maker", "approver"])
def test_evidence_is_not_for_everybody(
    role: str, unknown: Payment, people: tuple[User, User]
) -> None:
    change = propose(unknown, by=people[0])
    client = browser(role)
    assert client.get(f"/admin/evidence/{change.after['evidence']}/").status_code == 403
    assert "/admin/evidence/" not in client.get(page(unknown)).content.decode()


def test_the_list_of_changes_leads_here(unknown: Payment, people: tuple[User, User]) -> None:
    change = propose(unknown, by=people[0])
    answer = browser("admin").get(f"/admin/changes/{change.pk}/")
    assert answer.headers["Location"] == page(unknown)
