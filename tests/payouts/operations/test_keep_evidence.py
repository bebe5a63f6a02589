"""Evidence: sealed, judged by what is in it, opened on record."""

import hashlib

import pytest
from django.contrib.auth.models import User

from consumers.models import AuditEntry
from consumers.vault import TextUnreadable
from payouts.doubts import LARGEST_EVIDENCE_BYTES, EvidenceProblem, EvidenceRefused, Upload
from payouts.models import EvidenceFile, Payment
from payouts.operations.keep_evidence import (
    EvidenceNotPermitted,
    keep_evidence,
    reveal_evidence,
)
from tests.doubts import LETTER
from tests.pushes import make_payee, make_staff, push_unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment() -> Payment:
    return push_unknown(make_payee())


@pytest.fixture
def opal() -> User:
    return make_staff("opal", "operations")


def test_the_file_lies_sealed(payment: Payment, opal: User) -> None:
    evidence = keep_evidence(LETTER, payment=payment, by=opal)
    evidence.refresh_from_db()
    assert b"letter" not in bytes(evidence.sealed)
    assert bytes(evidence.sha256) == hashlib.sha256(LETTER.content).digest()
    assert evidence.size_bytes == len(LETTER.content)


@pytest.mark.parametrize("role", ["operations", "admin", "auditor"])
def test_who_may_opens_it_and_that_is_recorded(payment: Payment, opal: User, role: str) -> None:
    evidence = keep_evidence(LETTER, payment=payment, by=opal)
    _, content = reveal_evidence(evidence.pk, by=make_staff("reader", role))
    assert content == LETTER.content
    entry = AuditEntry.objects.get(verb="reveal")
    assert (entry.result, entry.after["sha256"]) == ("done", evidence.digest)


@pytest.mark.parametrize("role", ["viewer", "maker", "approver"])
def test_others_are_refused_on_record(payment: Payment, opal: User, role: str) -> None:
    evidence = keep_evidence(LETTER, payment=payment, by=opal)
    with pytest.raises(EvidenceNotPermitted):
        reveal_evidence(evidence.pk, by=make_staff("reader", role))
    assert AuditEntry.objects.get(verb="reveal").result == "refused"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.txt", b"%PDF-1.4 x", "application/pdf"),
        ("a.pdf", b"\x89PNG\r\n\x1a\nx", "image/png"),
        ("a", b"\xff\xd8\xff\xe0x", "image/jpeg"),
        ("a.exe", b"Kurz: bezahlt.\r\n", "text/plain"),
    ],
)
def test_its_kind_is_what_is_in_it(
    payment: Payment, opal: User, name: str, content: bytes, media_type: str
) -> None:
    assert keep_evidence(Upload(name, content), payment=payment, by=opal).media_type == media_type


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", EvidenceProblem.EMPTY),
        (b"MZ\x90\x00", EvidenceProblem.KIND),
        (b"<html>\x00", EvidenceProblem.KIND),
        (b"\xff\xfe\x00", EvidenceProblem.KIND),
        (b"card 4111 1111 1111 1111", EvidenceProblem.CARD_NUMBER),
        (b"%PDF-" + b"x" * LARGEST_EVIDENCE_BYTES, EvidenceProblem.TOO_LARGE),
    ],
)  # fmt: skip
def test_refuses_what_is_no_evidence(
    payment: Payment, opal: User, content: bytes, problem: EvidenceProblem
) -> None:
    with pytest.raises(EvidenceRefused) as refused:
        keep_evidence(Upload("file", content), payment=payment, by=opal)
    assert refused.value.problem is problem
    assert not EvidenceFile.objects.exists()


def test_refuses_a_card_number_in_the_name(payment: Payment, opal: User) -> None:
    with pytest.raises(EvidenceRefused):
        keep_evidence(Upload("4111111111111111.pdf", b"%PDF-"), payment=payment, by=opal)
    assert not EvidenceFile.objects.exists()


def test_moved_to_another_push_it_does_not_open(payment: Payment, opal: User) -> None:
    evidence = keep_evidence(LETTER, payment=payment, by=opal)
    sealed = bytes(EvidenceFile.objects.get(pk=evidence.pk).sealed)
    other = keep_evidence(LETTER, payment=push_unknown(make_payee()), by=opal)
    EvidenceFile.objects.filter(pk=other.pk).update(sealed=sealed)
    with pytest.raises(TextUnreadable):
        reveal_evidence(other.pk, by=opal)
