"""The page of a push keeps itself up to date: it asks here whether something has happened since."""

from typing import Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from payouts.admin.push_page import push_page, push_rows
from payouts.admin.push_verbs import offered_verbs
from payouts.backoffice.pages import me, staff_fragment
from payouts.models import Payment

_SEE: Final = "payouts.view_payment"


@staff_fragment(_SEE)
@require_GET
def push(request: HttpRequest, payment_id: UUID) -> HttpResponse:
    """The body of a push's page; nothing (204) if the page has the newest already."""
    version = Payment.objects.filter(pk=payment_id).values_list("version", flat=True).first()
    if version is None:
        raise Http404
    if request.GET.get("version") == str(version):
        return HttpResponse(status=204)
    payment = push_rows().get(pk=payment_id)
    may_see_journals = request.user.has_perm("payouts.view_journal")
    context = {
        "page": push_page(payment, with_journals=may_see_journals),
        "verbs": offered_verbs(me(request), payment),
        "is_update": True,
    }
    return render(request, "admin/payouts/payment/push.html", context)
