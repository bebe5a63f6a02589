"""What the pages say: a word for everything, and no card number."""

import pytest

from payouts.admin.words import (
    ACCOUNT_WORDS,
    EVENT_WORDS,
    STATUS_MEANS,
    STATUS_TONES,
    masked,
    pretty,
    status_means,
)
from payouts.models import AccountKind, EventKind
from payouts.states import Status
from tests.builders import MASTERCARD_NUMBER, VISA_NUMBER


def test_has_words_for_everything_that_can_happen() -> None:
    assert set(STATUS_TONES) == set(STATUS_MEANS) == {status.value for status in Status}
    assert set(EVENT_WORDS) == set(EventKind.values)
    assert set(ACCOUNT_WORDS) == set(AccountKind.values)


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED])
def test_says_of_no_network_what_people_have_said(status: Status) -> None:
    by_people = status_means(status.value, "", attempt_state="unknown")
    assert "two people" in by_people
    assert "has approved" not in by_people
    assert "ertainly" not in by_people
    assert status_means(status.value, "", attempt_state="approved") == STATUS_MEANS[status.value]
    assert "two people" not in status_means(status.value, "unknown", attempt_state="unknown")


@pytest.mark.parametrize(
    "answer",
    [
        {"note": f"card {VISA_NUMBER}, sorry"},
        {"deep": [{"er": {"x": [MASTERCARD_NUMBER]}}]},
        {"as_number": int(VISA_NUMBER)},
        {"pan": "4111"},
        {"recipientPrimaryAccountNumber": "41 11"},
        {"card_number": 12},
        {"CVV2": "123"},
        {"accessToken": "abc"},
    ],
)
def test_masks_numbers_and_secrets_wherever_they_are(answer: dict[str, object]) -> None:
    shown = pretty(answer)
    assert "••••" in shown
    for secret in (VISA_NUMBER, MASTERCARD_NUMBER, '4111"', "41 11", "123", "abc"):
        assert secret not in shown.replace("•••• 1111", "")


@pytest.mark.parametrize(
    "answer",
    [
        {"retrievalReferenceNumber": "531719123456", "systemsTraceAuditNumber": 123456},
        {"transactionIdentifier": "300000000000001"},
        {"actionCode": "00", "approved": True, "fee": 1.5, "nothing": None, "list": [1, 2]},
    ],
)
def test_leaves_what_support_needs(answer: dict[str, object]) -> None:
    assert masked(answer) == answer
