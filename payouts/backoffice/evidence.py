"""The evidence about one push: a page made for print, a PDF, and the document that is hashed."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from payouts.admin.push_page import push_page, push_rows
from payouts.backoffice.pages import me, staff_page
from payouts.evidence import Evidence, who_looked
from payouts.models import Payment
from payouts.operations.take_evidence import take_evidence
from payouts.staff import EXPORT_PAYMENT

_JOURNALS = "payouts.view_journal"
_TRAIL = "consumers.view_auditentry"


@staff_page(EXPORT_PAYMENT)
@require_GET
def page(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    payment, evidence = _taken(request, payment_id, kind="page")
    context: dict[str, Any] = {
        "page": push_page(payment, with_journals=request.user.has_perm(_JOURNALS)),
        "evidence": evidence,
        "looks": who_looked(payment.pk) if request.user.has_perm(_TRAIL) else None,
        "printed_at": timezone.now(),
        "printed_by": me(request).get_full_name() or me(request).get_username(),
    }
    return TemplateResponse(request, "backoffice/evidence.html", context)


@staff_page(EXPORT_PAYMENT)
@require_GET
def document(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The very bytes that the SHA-256 on a print was taken over."""
    _, evidence = _taken(request, payment_id, kind="json")
    return _file(evidence.content, "application/json", f"push-{payment_id}.json")


@staff_page(EXPORT_PAYMENT)
@require_GET
def pdf(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    # Here, because every process would spend a fifth of its start on what few of them ever draw.
    from payouts.backoffice.evidence_pdf import evidence_pdf

    _, evidence = _taken(request, payment_id, kind="pdf")
    name = me(request).get_full_name() or me(request).get_username()
    content = evidence_pdf(evidence, printed_at=timezone.now(), printed_by=name)
    return _file(content, "application/pdf", f"push-{payment_id}.pdf")


def _taken(request: HttpRequest, payment_id: UUID, *, kind: str) -> tuple[Payment, Evidence]:
    payment = push_rows().filter(pk=payment_id).first()
    if payment is None:
        raise Http404
    with_journals = request.user.has_perm(_JOURNALS)
    return payment, take_evidence(payment, kind=kind, with_journals=with_journals)


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
