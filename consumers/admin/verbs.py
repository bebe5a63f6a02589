"""A verb on an object's page: a button, a page that says what will happen, and then the deed.

The page is shown for GET and does nothing; only its form, sent back by POST, does.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin import AdminSite
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

if TYPE_CHECKING:
    from django.forms import Textarea as LongText
else:
    from unfold.widgets import UnfoldAdminTextareaWidget as LongText


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a person is asked before a verb is done: `title` is its name and its button.

    `facts` repeat what it is about, `consequences` say what will happen. `tone` is the button's.
    """

    title: str
    consequences: str
    facts: list[tuple[str, Any]] = field(default_factory=list)
    tone: str = "primary"


class NothingToFill(forms.Form):
    """For a verb that needs no more than a yes."""


class ReasonForm(forms.Form):
    """Why. Goes into the history, so it is asked for before the deed and kept with it."""

    reason = forms.CharField(
        max_length=500,
        widget=LongText(attrs={"rows": 3}),
        help_text="Stays in the history of the push. Never write a card number here.",
    )


class OptionalReasonForm(ReasonForm):
    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=LongText(attrs={"rows": 3}),
        help_text="Stays in the history of the push. Never write a card number here.",
    )


def ask(
    request: HttpRequest, question: Question, *, site: AdminSite, about: Model, form: forms.Form
) -> HttpResponse:
    """The page that asks; its form comes back to the same address."""
    context = {
        **site.each_context(request),
        "title": question.title,
        "question": question,
        "form": form,
        "object": about,
        "object_address": page_of(about),
        "opts": about._meta,
    }
    return TemplateResponse(request, "admin/ask.html", context)


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form sent; None if it was only opened. Nothing filled in is something sent."""
    return request.POST if request.method == "POST" else None


def page_of(row: Model) -> str:
    """The address of a row's page."""
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def back_to(row: Model) -> HttpResponse:
    return HttpResponseRedirect(page_of(row))
