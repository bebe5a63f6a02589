"""Acts become entries: who, what, when, from where, to what, with which result."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from consumers.audit import (
    Act,
    Result,
    Subject,
    Verb,
    Visitor,
    acting_as,
    audited,
    changed_fields,
    record_act,
    subject_of,
)
from consumers.models import AuditEntry, Consumer, Partner
from tests.books import refusal, select
from tests.builders import VISA_NUMBER, make_consumer, make_partner

pytestmark = pytest.mark.django_db

VIEW = Act(verb=Verb.VIEW, subject=Subject("note", "7", "a note"))
GRACE = Visitor(
    label="staff:grace", user_id=5, ip_address="192.0.2.7", agent="Firefox", request_id="req_1"
)


class Refused(Exception):
    pass


def entry() -> AuditEntry:
    return AuditEntry.objects.get()


def test_an_entry_says_who_did_what_when_from_where_to_what() -> None:
    partner = make_partner()
    AuditEntry.objects.all()
    record_act(Act(verb=Verb.CHANGE, subject=subject_of(partner), reason="asked to"), by=GRACE)
    kept = AuditEntry.objects.latest("id")
    assert (kept.actor, kept.user_id, kept.client_id) == ("staff:grace", 5, None)
    assert (kept.verb, kept.result, kept.reason) == ("change", "done", "asked to")
    assert (kept.ip_address, kept.agent, kept.request_id) == ("192.0.2.7", "Firefox", "req_1")
    assert (kept.subject_type, kept.subject_id) == ("consumers.partner", str(partner.pk))
    assert (kept.subject_label, kept.partner_id) == (partner.name, partner.pk)
    assert timezone.now() - kept.created_at < timedelta(minutes=1)


def test_a_row_of_a_partner_names_its_partner() -> None:
    consumer = make_consumer(pcid="p-1", first_name="", last_name="")
    subject = subject_of(consumer)
    assert (subject.kind, subject.label) == ("consumers.consumer", "p-1")
    assert subject.partner_id == consumer.partner_id


def test_who_acts_for_somebody_is_recorded_as_that_one() -> None:
    with acting_as(GRACE):
        record_act(VIEW)
    assert entry().actor == "staff:grace"


def test_without_a_request_it_is_the_user_of_the_system() -> None:
    record_act(VIEW)
    assert entry().actor.startswith("system:")
    assert " on " in entry().agent


def test_nothing_secret_gets_into_any_text() -> None:
    text = f"number {VISA_NUMBER}"
    act = Act(
        verb=Verb.CHANGE,
        subject=Subject("note", "", text),
        before={"note": text, "token": "t-1"},
        after={"note": [text], text: 1},
        reason=text,
    )
    record_act(act, by=Visitor(label=text, agent=text))
    (row,) = select("SELECT consumers_auditentry::text FROM consumers_auditentry")
    assert VISA_NUMBER not in row[0]
    assert "t-1" not in row[0]


def _save_and_fail(partner: Partner) -> None:
    partner.save(update_fields=["name"])
    raise ZeroDivisionError


def _refuse_after_writing() -> None:
    make_partner(name="Northwind")
    raise Refused


def test_what_is_done_and_its_entry_are_one_transaction() -> None:
    partner = make_partner(name="Northwind")
    with audited(VIEW):
        partner.name = "Southwind"
        partner.save(update_fields=["name"])
    assert AuditEntry.objects.latest("id").verb == "view"
    partner.name = "Westwind"
    with pytest.raises(ZeroDivisionError), audited(VIEW):
        _save_and_fail(partner)
    partner.refresh_from_db()
    assert partner.name == "Southwind"
    assert AuditEntry.objects.filter(verb="view").count() == 1


def test_a_refusal_leaves_an_entry_and_nothing_else() -> None:
    act = Act(verb=Verb.CANCEL, subject=VIEW.subject, after={"status": "canceled"})
    with pytest.raises(Refused), audited(act, refusals=(Refused,)):
        _refuse_after_writing()
    assert (entry().result, entry().reason, entry().after) == (Result.REFUSED, "Refused", {})


def test_without_its_entry_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object, **_named: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(AuditEntry, "save", full)
    with pytest.raises(OSError, match="No space"):
        make_partner(name="Northwind")
    assert select("SELECT count(*) FROM consumers_partner") == [(0,)]


def test_only_changed_fields_are_kept() -> None:
    consumer = make_consumer(first_name="Ada", email="ada@example.com")
    before, after = changed_fields(consumer, {"first_name": "Ada", "email": "a@example.com"})
    assert before == {"email": "ada@example.com"}
    assert after == {"email": "a@example.com"}


def test_what_was_not_read_is_not_read_for_the_trail(
    django_assert_num_queries: pytest.FixtureRequest,
) -> None:
    make_consumer()
    consumer = Consumer.objects.defer("tax_identifier_sealed").get()
    with django_assert_num_queries(0):  # type: ignore[operator]
        before, after = changed_fields(consumer, {"tax_identifier_sealed": b"1"})
    assert before == {"tax_identifier_sealed": "[hidden]"}
    assert after == {"tax_identifier_sealed": b"1"}


@pytest.mark.parametrize(
    "change",
    ["UPDATE {} SET actor = 'x'", "UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"],
)
def test_entries_are_written_once(change: str) -> None:
    record_act(VIEW)
    before = select("SELECT * FROM consumers_auditentry")
    assert refusal(change.format("consumers_auditentry")) == "PY001"
    assert select("SELECT * FROM consumers_auditentry") == before


def test_an_entry_has_a_known_result() -> None:
    record_act(VIEW)
    copied = """INSERT INTO consumers_auditentry (created_at, verb, result, actor, agent,
                    request_id, subject_type, subject_id, subject_label, before, after, reason)
                SELECT created_at, verb, 'perhaps', actor, agent, request_id, subject_type,
                    subject_id, subject_label, before, after, reason FROM consumers_auditentry"""
    assert refusal(copied) == "audit_known_result"


def test_an_entry_is_one_statement(django_assert_num_queries: pytest.FixtureRequest) -> None:
    with transaction.atomic(), django_assert_num_queries(1):  # type: ignore[operator]
        record_act(VIEW)
