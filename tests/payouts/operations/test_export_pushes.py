"""Files of pushes hold what the list showed, survive whoever writes them, and go away in time."""

import csv
import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from openpyxl import load_workbook

from consumers.models import AuditEntry
from payouts.finding.push_query import PushQuery
from payouts.models import Export, ExportKind, ExportPiece, ExportState, Payment
from payouts.operations import export_pushes
from payouts.operations.export_pushes import (
    KEPT_FOR,
    TooManyExports,
    ask_for_export,
    delete_expired_exports,
    file_of,
    write_next_export,
)
from tests.builders import make_card, make_consumer
from tests.pushes import make_funded_partner, make_payee, make_staff, push

pytestmark = pytest.mark.django_db

COLUMNS = ("consumer", "amount", "reference", "id")


@pytest.fixture
def auditor() -> User:
    return make_staff("aud", "auditor")


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_pushes, "_ROWS_AT_ONCE", 2)


def ask(by: User, *, kind: ExportKind = ExportKind.CSV, **given: str) -> Export:
    return ask_for_export(PushQuery.read(given), columns=COLUMNS, kind=kind, by=by)


def written(export: Export) -> bytes:
    assert write_next_export()
    export.refresh_from_db()
    return b"".join(file_of(export))


def ids_in(content: bytes) -> list[str]:
    lines = list(csv.reader(io.StringIO(content.decode().removeprefix("\ufeff"))))
    assert lines[0] == ["Consumer", "Amount (USD)", "Reference", "Push"]
    return [line[-1] for line in lines[1:]]


def pushes(count: int) -> list[Payment]:
    card = make_payee()
    return [push(card) for _ in range(count)][::-1]


@pytest.mark.usefixtures("few_at_once")
def test_a_file_holds_what_the_list_showed_in_its_order(auditor: User) -> None:
    wanted = pushes(5)
    push(make_payee())
    export = ask(auditor, partner=str(wanted[0].partner_id))
    push(make_payee(partner=wanted[0].partner))
    content = written(export)
    assert ids_in(content) == [str(one.pk) for one in wanted]
    assert (export.state, export.rows_written) == (ExportState.DONE, 5)
    assert export.size_bytes == len(content)
    assert bytes(export.sha256 or b"") == hashlib.sha256(content).digest()


def test_a_cell_is_never_a_formula(auditor: User) -> None:
    consumer = make_consumer(partner=make_funded_partner(), first_name="=1+1", last_name="x")
    push(make_card(consumer=consumer), reference="@SUM(1)")
    line = written(ask(auditor)).decode().splitlines()[1]
    assert line.startswith("'=1+1 x,100.00,'@SUM(1),")


@pytest.mark.usefixtures("few_at_once")
def test_a_workbook_holds_the_same(auditor: User) -> None:
    wanted = pushes(3)
    export = ask(auditor, kind=ExportKind.XLSX)
    sheet = load_workbook(io.BytesIO(written(export)))["Pushes"]
    assert [row[3].value for row in sheet.iter_rows(min_row=2)] == [str(one.pk) for one in wanted]
    assert export.rows_written == 3


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.usefixtures("few_at_once")
def test_somebody_else_goes_on_when_the_writer_dies(
    auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = pushes(5)
    export = ask(auditor)
    with monkeypatch.context() as patch:
        patch.setattr(export_pushes, "_pages", dying_after(2))
        with pytest.raises(Killed):
            write_next_export()
    assert not write_next_export(), "it is still claimed"
    Export.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert ids_in(written(export)) == [str(one.pk) for one in wanted]
    assert (export.state, export.rows_written) == (ExportState.DONE, 5)


def test_a_workbook_is_begun_anew(auditor: User) -> None:
    pushes(2)
    export = ask(auditor, kind=ExportKind.XLSX)
    ExportPiece.objects.create(export=export, number=0, content=b"half a workbook")
    Export.objects.update(rows_written=1, size_bytes=15)
    sheet = load_workbook(io.BytesIO(written(export)))["Pushes"]
    assert sheet.max_row == 1 + 2
    assert export.rows_written == 2


def dying_after(pages: int) -> object:
    plain = export_pushes._pages

    def dying(claim: object, *, older_than: object) -> Iterator[object]:
        for number, page in enumerate(plain(claim, older_than=older_than)):  # type: ignore[arg-type]
            if number == pages:
                raise Killed
            yield page

    return dying


@pytest.mark.usefixtures("few_at_once")
def test_a_writer_that_was_thought_dead_leaves_the_file_alone(
    auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = pushes(4)
    export = ask(auditor)
    plain = export_pushes._pages

    def overtaken(claim: object, *, older_than: object) -> Iterator[object]:
        for page in plain(claim, older_than=older_than):  # type: ignore[arg-type]
            yield page
            monkeypatch.setattr(export_pushes, "_pages", plain)
            Export.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
            assert write_next_export()

    monkeypatch.setattr(export_pushes, "_pages", overtaken)
    assert ids_in(written(export)) == [str(one.pk) for one in wanted]
    assert AuditEntry.objects.filter(verb="export").count() == 2


def test_says_who_took_what_and_its_digest(auditor: User) -> None:
    pushes(2)
    export = ask(auditor, status="pending")
    digest = hashlib.sha256(written(export)).hexdigest()
    asked, done = AuditEntry.objects.filter(verb="export").order_by("pk")
    told = {"as": "csv", "filters": "status=pending", "columns": list(COLUMNS), "zone": "UTC"}
    assert asked.after == told
    assert (done.actor, done.user_id) == ("staff:aud", auditor.pk)
    assert (done.after["rows"], done.after["sha256"]) == (2, digest)


def test_refuses_more_rows_than_a_file_may_have(
    auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_pushes, "ROWS_AT_MOST", 1)
    pushes(2)
    export = ask(auditor)
    assert written(export) == b""
    assert export.state == ExportState.REFUSED
    assert AuditEntry.objects.filter(verb="export", result="refused").count() == 1


def test_a_person_has_few_in_the_making(auditor: User) -> None:
    for _ in range(3):
        ask(auditor)
    with pytest.raises(TooManyExports):
        ask(auditor)
    assert Export.objects.count() == 3
    assert AuditEntry.objects.filter(verb="export").count() == 3


def test_an_expired_file_is_deleted_and_its_row_stays(auditor: User) -> None:
    pushes(1)
    export = ask(auditor)
    written(export)
    assert delete_expired_exports() == 0
    Export.objects.update(expires_at=timezone.now() - KEPT_FOR)
    assert delete_expired_exports() == 1
    export.refresh_from_db()
    assert export.state == ExportState.EXPIRED
    assert export.sha256 is not None
    assert not ExportPiece.objects.exists()


def test_nothing_is_written_when_nothing_waits() -> None:
    assert not write_next_export()
