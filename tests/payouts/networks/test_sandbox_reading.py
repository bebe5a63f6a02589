import json
from typing import Any

import pytest

from payouts.networks.base import (
    Approved,
    Declined,
    EligibilityUnknown,
    NotFound,
    Unknown,
    UnknownReason,
)
from payouts.networks.sandbox.reading import WireAnswer, read_card, read_inquiry, read_push
from tests.payouts.networks.cast import VISA, make_identity

IDENTITY = make_identity(7)
ECHO = {
    "acquiringBin": IDENTITY.acquiring_bin,
    "systemsTraceAuditNumber": IDENTITY.systems_trace_audit_number,
    "retrievalReferenceNumber": IDENTITY.retrieval_reference_number,
    "cardAcceptor": {
        "idCode": IDENTITY.card_acceptor_id,
        "terminalId": IDENTITY.terminal_id,
    },
}
PAID = {
    **ECHO,
    "actionCode": "00",
    "approvalCode": "A1",
    "transactionIdentifier": "300000000000001",
}


def answer(content: Any, *, status: int = 200) -> WireAnswer:
    return WireAnswer(status, json.dumps(content).encode(), elapsed_ms=1)


def why_unknown(content: Any, *, status: int = 200) -> UnknownReason:
    outcome = read_push(answer(content, status=status), IDENTITY)
    assert isinstance(outcome, Unknown)
    return outcome.why


def test_reads_an_approval() -> None:
    outcome = read_push(answer(PAID), IDENTITY)
    assert isinstance(outcome, Approved)
    assert (outcome.approval_code, outcome.transaction_id) == ("A1", "300000000000001")


def test_stays_approved_without_the_identifiers_that_should_be_there() -> None:
    outcome = read_push(answer({**ECHO, "actionCode": "00", "approvalCode": 7}), IDENTITY)
    assert isinstance(outcome, Approved)
    assert (outcome.approval_code, outcome.transaction_id) == ("", "")


@pytest.mark.parametrize(
    "code", [None, "", "0", "000", "0 ", "ok", 0, 5, "\u0660\u0660", ["00"], "00\n"]
)
def test_takes_no_odd_code_for_an_answer(code: object) -> None:
    assert why_unknown({**PAID, "actionCode": code}) is UnknownReason.UNREADABLE_ANSWER


@pytest.mark.parametrize("content", [[PAID], "00", None, 0, {}])
def test_takes_nothing_else_for_an_answer(content: object) -> None:
    assert why_unknown(content) is UnknownReason.UNREADABLE_ANSWER


@pytest.mark.parametrize("name", sorted(ECHO))
@pytest.mark.parametrize("code", ["00", "05", "94"])
def test_believes_only_what_echoes_every_part_of_the_identity(name: str, code: str) -> None:
    for wrong in ("999999", None, {"idCode": "x", "terminalId": IDENTITY.terminal_id}):
        content = {**PAID, "actionCode": code, name: wrong}
        assert why_unknown(content) is UnknownReason.IDENTITY_MISMATCH


@pytest.mark.parametrize("status", [201, 204, 301, 400, 401, 404, 422, 429, 500, 502, 503])
def test_believes_no_code_under_another_status(status: int) -> None:
    for code in ("00", "05"):
        why = why_unknown({**PAID, "actionCode": code}, status=status)
        server_error = status >= 500
        assert why is (
            UnknownReason.SERVER_ERROR if server_error else UnknownReason.UNEXPECTED_STATUS
        )


def test_keeps_no_status_identifier_of_another_instruction() -> None:
    outcome = read_push(answer({"statusIdentifier": "S1"}, status=202), IDENTITY)
    assert outcome == Unknown(UnknownReason.IN_PROGRESS, None, outcome.raw)


NOT_FOUND = {
    "errorCode": "transaction_not_found",
    "acquiringBin": IDENTITY.acquiring_bin,
    "systemsTraceAuditNumber": IDENTITY.systems_trace_audit_number,
    "retrievalReferenceNumber": IDENTITY.retrieval_reference_number,
}


def test_finds_nothing_only_when_the_network_says_so_of_our_identity() -> None:
    assert isinstance(read_inquiry(answer(NOT_FOUND, status=404), IDENTITY), NotFound)


@pytest.mark.parametrize(
    "content",
    [
        "<h1>404</h1>",
        {},
        {**NOT_FOUND, "errorCode": "no_such_resource"},
        {**NOT_FOUND, "retrievalReferenceNumber": "603404000008"},
    ],
    ids=str,
)
def test_does_not_take_any_404_for_not_found(content: object) -> None:
    finding = read_inquiry(answer(content, status=404), IDENTITY)
    assert isinstance(finding, Unknown)


def test_does_not_resolve_by_an_answer_that_only_says_duplicate() -> None:
    finding = read_inquiry(answer({**PAID, "actionCode": "94"}), IDENTITY)
    assert isinstance(finding, Unknown)
    assert finding.why is UnknownReason.UNRESOLVED_DUPLICATE


def test_waits_while_an_inquiry_says_pending() -> None:
    pending = {**ECHO, "statusCode": "PENDING", "statusIdentifier": "S1", "actionCode": "00"}
    finding = read_inquiry(answer(pending), IDENTITY)
    assert isinstance(finding, Unknown)
    assert finding.status_identifier == "S1"


@pytest.mark.parametrize("name", ["actionCode", "transactionIdentifier", "statusIdentifier"])
@pytest.mark.parametrize("number", [VISA, "4111 1111 1111 1111", f"x{VISA}x"])
def test_shows_no_card_number_that_a_network_puts_into_an_answer(name: str, number: str) -> None:
    for status in (200, 202):
        outcome = read_push(answer({**PAID, name: number}, status=status), IDENTITY)
        assert number not in repr(outcome)


def test_shows_no_card_number_of_a_page() -> None:
    page = f"<p>{'x' * 50}{VISA} is wrong</p>".encode()
    outcome = read_push(WireAnswer(502, page, elapsed_ms=1), IDENTITY)
    assert isinstance(outcome, Unknown)
    assert "4111" not in repr(outcome)
    assert str(outcome.raw["body_start"]).startswith("<p>xxx")


def test_keeps_only_what_fits_json() -> None:
    outcome = read_push(answer({**PAID, "actionCode": "05", "responseCode": {"a": 1}}), IDENTITY)
    assert isinstance(outcome, Declined)
    assert json.loads(json.dumps(outcome.raw)) == outcome.raw


@pytest.mark.parametrize(
    "content", [{}, {"pushFundsBlockIndicator": "N"}, {"fastFundsIndicator": "D"}, [], "D"]
)
def test_does_not_guess_card_attributes(content: object) -> None:
    with pytest.raises(EligibilityUnknown):
        read_card(answer(content))


@pytest.mark.parametrize(("indicator", "speed"), [("B", "fast_funds"), ("N", "standard")])
def test_reads_the_speed_of_a_card(indicator: str, speed: str) -> None:
    attributes = {"pushFundsBlockIndicator": "N", "fastFundsIndicator": indicator}
    card = read_card(answer(attributes))
    assert (card.eligible, card.speed, card.card_type) == (True, speed, None)
