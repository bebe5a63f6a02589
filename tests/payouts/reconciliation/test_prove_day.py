"""The daily proof: what three books say about a day, and what is told when they differ."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management.base import CommandError

from consumers.models import AuditEntry, PaymentCard
from payouts.doubts import Way
from payouts.models import Case, DayProof
from payouts.networks.sandbox.settlement import RETURN, Line, Window
from payouts.operations.reconciliation.prove_day import prove_day, prove_what_is_new
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import return_payment
from payouts.reconciliation.day_proofs import NOTHING, DayFigures, Sum, Verdict, digest_of
from tests.back_office import browser, text_of
from tests.books import refusal
from tests.doubts import approve_closing, notice_about, propose_closing, two_operators
from tests.owner import forced
from tests.payouts.commands.running import run_json
from tests.pushes import declined, push_completed, push_submitted
from tests.settlements import bring, line_about, settlement_of
from tests.statements import bring_statement, movement_for, statement_of

pytestmark = pytest.mark.django_db

TODAY = datetime.now(UTC).date()


def figures_after(*lines: Line) -> dict[str, Any]:
    """The proof of today after a file of these lines, which is about the whole day."""
    bring(settlement_of(lines, window=Window.of_day(TODAY)))
    figures: dict[str, Any] = prove_day(TODAY).figures
    return figures


def sum_of(number: int, dollars: str) -> dict[str, Any]:
    return {"number": number, "amount": dollars}


def test_agrees_where_three_books_say_the_same(card: PaymentCard) -> None:
    lines = [line_about(push_completed(card)), line_about(push_completed(card, amount="12.34"))]
    figures = figures_after(*lines)
    assert figures["verdict"] == "agrees"
    both = sum_of(2, "112.34")
    assert [figures[book] for book in ("paid", "ledger", "file")] == [both] * 3
    assert figures["unexplained"] == "0.00"


def test_a_day_without_a_file_says_so(card: PaymentCard) -> None:
    push_completed(card)
    assert prove_day(TODAY).verdict == Verdict.NO_FILE


def test_a_return_of_another_amount_that_two_people_booked_agrees_with_its_push(
    card: PaymentCard,
) -> None:
    payment = push_completed(card)
    return_payment(notice_about(payment, amount=Decimal("100.01")))
    opal, otto = two_operators()
    approve_closing(propose_closing(Case.objects.get(), Way.CAME_BACK, by=opal), otto)
    figures = prove_day(TODAY).figures
    assert figures["returned"] == figures["returned_in_ledger"] == sum_of(1, "100.00")
    assert figures["verdict"] == "no_file"


@pytest.mark.parametrize(
    ("lines_of", "where", "expected"),
    [
        (lambda p: [line_about(p, cents=100_07)], "amounts_differ", sum_of(1, "0.07")),
        (lambda p: [], "in_no_file", sum_of(1, "100.00")),
        (lambda p: [line_about(p, currency="EUR")], "other_currency", sum_of(1, "100.00")),
        (lambda p: [line_about(p)] * 2, "not_paid_here", sum_of(1, "100.00")),
        (
            lambda p: [line_about(p), line_about(p, terminal_id="X", cents=7_00)],
            "not_paid_here",
            sum_of(1, "7.00"),
        ),
    ],
    ids=["amount", "missing there", "currency", "twice", "missing here"],
)
def test_what_differs_stands_where_it_belongs(
    card: PaymentCard, lines_of: Any, where: str, expected: dict[str, Any]
) -> None:
    figures = figures_after(*lines_of(push_completed(card)))
    assert figures["verdict"] == "explained"
    assert figures[where] == expected
    assert figures["unexplained"] == "0.00"


def test_a_credit_of_a_failed_push_is_no_paid_one(card: PaymentCard) -> None:
    failed = push_submitted(card)
    record_outcome(failed.pk, declined("05"))
    figures = figures_after(line_about(failed))
    assert (figures["verdict"], figures["paid"]) == ("explained", sum_of(0, "0.00"))
    assert figures["not_paid_here"] == sum_of(1, "100.00")


def test_what_was_paid_on_another_day_is_no_difference(card: PaymentCard) -> None:
    payment = push_completed(card)
    line = line_about(payment)
    forced("UPDATE payouts_attempt SET created_at = created_at - interval '1 day'")
    forced("UPDATE payouts_payment SET completed_at = completed_at - interval '1 day'")
    forced("UPDATE payouts_journal SET created_at = created_at - interval '1 day'")
    figures = figures_after(line)
    assert figures["paid_other_day"] == sum_of(1, "100.00")
    assert figures["unexplained"] == "0.00"
    yesterday = prove_day(TODAY - timedelta(days=1)).figures
    assert yesterday["settled_other_day"] == sum_of(1, "100.00")
    assert yesterday["unexplained"] == "0.00"


def test_returns_are_told_apart(card: PaymentCard) -> None:
    payment = push_completed(card)
    figures = figures_after(line_about(payment), line_about(payment, kind=RETURN))
    assert figures["verdict"] == "agrees"
    returns = [figures[name] for name in ("returned", "returned_in_ledger", "returned_in_file")]
    assert returns == [sum_of(1, "100.00")] * 3


@pytest.mark.parametrize(
    ("cents", "at_bank", "verdict", "sums"),
    [
        (None, "no_statement", "agrees", (1, 0)),
        (0, "settled", "agrees", (1, 1)),
        (-7, "differs", "explained", (1, 1)),
    ],
)
def test_says_whether_the_bank_shows_it(
    card: PaymentCard, cents: int | None, at_bank: str, verdict: str, sums: tuple[int, int]
) -> None:
    file = bring(settlement_of([line_about(push_completed(card))], window=Window.of_day(TODAY)))
    assert [proof.day for proof in prove_what_is_new(limit=7)] == [TODAY]
    if cents is not None:
        took = movement_for(file)
        tomorrow = {"opens_on": took.booked_on, "closes_on": took.booked_on}
        bring_statement(statement_of(took._replace(cents=took.cents + cents), **tomorrow))
        assert [proof.day for proof in prove_what_is_new(limit=7)] == [TODAY]
    assert prove_what_is_new(limit=7) == []
    figures = DayProof.objects.latest("pk").figures
    assert (figures["bank"], figures["verdict"]) == (at_bank, verdict)
    assert (figures["due_at_bank"]["number"], figures["at_bank"]["number"]) == sums
    more = -(cents or 0)
    assert cents is None or figures["at_bank"]["amount"] == f"100.{more:02d}"


def test_what_is_overdue_at_the_bank_differs(card: PaymentCard) -> None:
    bring(settlement_of([line_about(push_completed(card))], window=Window.of_day(TODAY)))
    later = TODAY + timedelta(days=3)
    soon = later - timedelta(days=1)
    bring_statement(statement_of(opens_on=TODAY, closes_on=soon))
    assert prove_day(TODAY).figures["bank"] == "not_yet"
    bring_statement(statement_of(opens_on=later, closes_on=later, reference="ST2"))
    assert [proof.verdict for proof in prove_what_is_new(limit=7)] == ["explained"]
    assert DayProof.objects.latest("pk").figures["bank"] == "differs"


def test_an_entry_about_two_days_counts_with_each(card: PaymentCard) -> None:
    before = TODAY - timedelta(days=1)
    files = [
        bring(
            settlement_of(
                [line_about(push_completed(card))],
                window=Window.of_day(day),
                reference=f"S{day:%d}",
            )
        )
        for day in (before, TODAY)
    ]
    took = movement_for(*files)
    tomorrow = {"opens_on": took.booked_on, "closes_on": took.booked_on}
    bring_statement(statement_of(took._replace(cents=took.cents - 3), **tomorrow))
    sums = [prove_day(day).figures["at_bank"] for day in (before, TODAY)]
    assert sums == [sum_of(1, "100.03"), sum_of(1, "100.00")]


def test_a_ledger_that_says_otherwise_breaks_the_day(card: PaymentCard) -> None:
    push_completed(card)
    forced("UPDATE payouts_posting SET amount = amount - 1 WHERE amount = -100")
    assert prove_day(TODAY).verdict == Verdict.BROKEN
    with pytest.raises(SystemExit):
        run_json("prove_day", TODAY.isoformat())


def test_the_command_tells_what_was_kept(card: PaymentCard) -> None:
    push_completed(card)
    told = run_json("prove_day", TODAY.isoformat())
    proof = DayProof.objects.get()
    assert told == {**proof.figures, "sha256": proof.digest}
    assert digest_of(proof.figures) == bytes(proof.sha256)
    assert refusal("UPDATE payouts_dayproof SET verdict = 'agrees'") in {"42501", "PY001"}


def test_a_day_is_proved_once_for_each_file_about_it(card: PaymentCard) -> None:
    figures_after(line_about(push_completed(card)))
    forced("UPDATE payouts_dayproof SET made_at = made_at - interval '1 hour'")
    assert [proof.day for proof in prove_what_is_new(limit=7)] == [TODAY]
    assert prove_what_is_new(limit=7) == []


def test_what_nobody_found_breaks_the_day() -> None:
    hundred = Sum(1, Decimal("100.00"))
    names = DayFigures.__slots__
    sums = dict.fromkeys([name for name in names if name not in _FACTS], NOTHING)
    figures = DayFigures(**_FACTS, **{**sums, "paid": hundred, "ledger": hundred})  # type: ignore[arg-type]
    assert (figures.verdict, figures.unexplained) == (Verdict.BROKEN, Decimal("-100.00"))


_FACTS: dict[str, Any] = {
    "day": TODAY,
    "network": "sandbox",
    "acquiring_bin": "1",
    "card_acceptor_id": "2",
    "is_covered": True,
    "files": (),
    "has_statement": False,
    "is_overdue_at_bank": False,
}


def test_staff_look_at_days_and_take_the_file(card: PaymentCard) -> None:
    figures_after(line_about(push_completed(card)))
    client = browser("auditor")
    assert "Everything agrees" in text_of(client.get("/admin/reconciliation/days/"))
    proof = DayProof.objects.get()
    address = f"/admin/reconciliation/days/{proof.pk}/"
    assert "Nobody knows why" in text_of(client.get(address))
    file = client.get(f"{address}file/").content.decode()
    assert f"SHA-256 of the figures,{proof.digest}" in file
    assert "paid,1,100.00" in file
    before = AuditEntry.objects.filter(verb="export").count()
    printed = client.get(f"{address}pdf/")
    assert printed.headers["Content-Disposition"].endswith(f'"proof-{TODAY}.pdf"')
    assert printed.content.startswith(b"%PDF-")
    assert AuditEntry.objects.filter(verb="export").count() == before + 1


def test_operations_prove_a_day_at_once(card: PaymentCard) -> None:
    push_completed(card)
    prove = "/admin/reconciliation/days/prove/"
    assert browser("auditor").post(prove, {"day": TODAY.isoformat()}).status_code == 403
    client = browser("operations", username="opal")
    assert "No file about the whole day yet" in text_of(
        client.post(prove, {"day": TODAY.isoformat()}, follow=True)
    )
    assert client.post(prove, {"day": "never"}).status_code == 404


def test_proves_no_day_that_has_not_begun() -> None:
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    answer = browser("operations").post(
        "/admin/reconciliation/days/prove/", {"day": tomorrow}, follow=True
    )
    assert "That day has not begun yet" in text_of(answer)
    with pytest.raises(CommandError, match="has not begun yet"):
        run_json("prove_day", tomorrow)
    assert not DayProof.objects.exists()
