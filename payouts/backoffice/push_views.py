"""What a person does to their list of pushes: views with names, columns, and what to narrow by."""

from typing import Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from payouts.backoffice.pages import me, staff_fragment, staff_page
from payouts.finding.push_lists import FacetValue, facets_of, views_for
from payouts.finding.push_query import PushQuery, UnreadableQuery, address_of
from payouts.models import PushView
from payouts.operations.push_views import (
    VIEWS_AT_MOST,
    NotTheOwner,
    TooManyViews,
    ViewExists,
    choose_columns,
    choose_default_view,
    delete_view,
    save_view,
)

_SEE: Final = "payouts.view_payment"


class ViewForm(forms.Form):
    name = forms.CharField(max_length=60)
    is_shared = forms.BooleanField(required=False)


@staff_page(_SEE)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the list shows under a name."""
    query, form = _query(request), ViewForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the view a name of at most 60 letters.")
        return _back(query)
    name = form.cleaned_data["name"]
    try:
        save_view(query, name=name, is_shared=form.cleaned_data["is_shared"], by=me(request))
    except ViewExists:
        messages.error(request, f"You have a view “{name}” already. Choose another name.")
    except TooManyViews:
        messages.error(request, f"You have {VIEWS_AT_MOST} views. Delete one first.")
    else:
        messages.success(request, f"Saved as “{name}”.")
    return _back(query)


@staff_page(_SEE)
@require_POST
def delete(request: HttpRequest, view_id: int) -> HttpResponse:
    view = get_object_or_404(PushView, pk=view_id, owner=me(request))
    try:
        delete_view(view, by=me(request))
    except NotTheOwner as error:
        raise Http404 from error
    messages.success(request, f"The view “{view.name}” is deleted.")
    return HttpResponseRedirect(_list_address("view=all"))


@staff_page(_SEE)
@require_POST
def open_with(request: HttpRequest) -> HttpResponse:
    """Choose the view that the list opens with; without one it opens with all."""
    chosen = request.POST.get("view", "")
    view = None
    if chosen:
        offered = {str(one.pk): one for one in views_for(me(request))}
        if chosen not in offered:
            raise Http404
        view = offered[chosen]
    choose_default_view(view, by=me(request))
    words = "all pushes" if view is None else f"“{view.name}”"
    messages.success(request, f"The list opens with {words} from now on.")
    return _back(_query(request))


@staff_page(_SEE)
@require_POST
def columns(request: HttpRequest) -> HttpResponse:
    """Choose the columns of the list, and so those of files."""
    choose_columns(request.POST.getlist("columns"), by=me(request))
    return _back(_query(request))


@staff_fragment(_SEE)
@require_GET
def facets(request: HttpRequest) -> HttpResponse:
    """What the pushes of the list could be narrowed to, counted when somebody wants to know."""
    try:
        query = PushQuery.read({name: str(request.GET[name]) for name in request.GET})
    except UnreadableQuery as error:
        raise Http404 from error
    found = facets_of(query)
    narrowed = query.narrowed_by()
    shown = [
        (facet, [(value, _narrower(query, facet.name, value)) for value in facet.values])
        for facet in found.facets
        if facet.name not in narrowed
    ]
    return render(request, "admin/payouts/payment/facets.html", {"facets": shown, "found": found})


def _narrower(query: PushQuery, name: str, value: FacetValue) -> str:
    return address_of(query.given, **{name: value.value})


def _query(request: HttpRequest) -> PushQuery:
    try:
        return PushQuery.from_address(request.POST.get("query", ""))
    except UnreadableQuery as error:
        raise Http404 from error


def _back(query: PushQuery) -> HttpResponse:
    return HttpResponseRedirect(_list_address(query.address() or "view=all"))


def _list_address(query_string: str) -> str:
    return f"{reverse('admin:payouts_payment_changelist')}?{query_string}"
