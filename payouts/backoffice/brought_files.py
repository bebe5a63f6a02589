"""What the pages about a file that one person brings and another agrees to have in common."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Generic
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from payouts.backoffice.pages import me
from payouts.deciding.approvers import name_of
from payouts.models import BroughtFile
from payouts.operations.reconciliation.brought_files import (
    BringingNotPermitted,
    File,
    FileUpload,
    Taken,
)
from payouts.operations.reconciliation.decide_file import (
    FileByUploader,
    FileDecisionNotPermitted,
    FileKind,
    FileNotWaiting,
    apply_file,
    reject_file,
)
from payouts.staff import RESOLVE_PAYMENT


@dataclass(frozen=True, slots=True)
class Pages(Generic[File]):
    """Pages about one kind of files: where one file's is, and what a decision is answered with."""

    kind: FileKind[File]
    address: str
    agreed: str
    refused: str

    def of(self, file_id: UUID) -> HttpResponse:
        """Lead to the page of the file."""
        return HttpResponseRedirect(reverse(self.address, args=[file_id]))

    def found_or_404(self, file_id: UUID) -> File:
        """The file, with the people who brought it and decided about it."""
        rows = self.kind.model._default_manager.select_related("uploaded_by", "decided_by")
        found = rows.filter(pk=file_id).first()
        if found is None:
            raise Http404
        return found


def upload_field(*, label: str, accept: str, megabytes: int, help_text: str) -> forms.FileField:
    """The one field of the form that brings a file."""
    return forms.FileField(
        # What an empty file lacks, the operation says.
        allow_empty_file=True,
        label=label,
        widget=forms.FileInput(attrs={"class": "po-input", "accept": accept}),
        error_messages={"required": f"Choose a file of at most {megabytes} MB."},
        help_text=help_text,
    )


def bring(
    request: HttpRequest, form: forms.Form, take: Callable[[FileUpload], Taken[File]]
) -> File:
    """Have the file of a valid form taken in, and say so if it was here before.

    :raises PermissionDenied: this person may not bring files. What else `take` raises is passed on.
    """
    given: Any = form.cleaned_data["file"]
    name = PurePath(given.name or "file").name
    try:
        taken = take(FileUpload(name, given.read(), me(request)))
    except BringingNotPermitted as refusal:
        raise PermissionDenied from refusal
    if not taken.is_new:
        messages.info(request, "This very file was imported before. Nothing has changed.")
    return taken.file


def standing(request: HttpRequest, file: BroughtFile) -> dict[str, Any]:
    """Who brought it and decided, how far it is, and what this person may do about it."""
    may_decide = file.is_waiting and request.user.has_perm(RESOLVE_PAYMENT)
    is_own = file.uploaded_by_id == me(request).pk
    return {
        "file": file,
        "is_moving": file.is_at_work,
        "uploader": "" if file.uploaded_by is None else name_of(file.uploaded_by),
        "decider": "" if file.decided_by is None else name_of(file.decided_by),
        "waits": file.is_waiting,
        "may_decide": may_decide and not is_own,
        "is_own": may_decide and is_own,
    }


def has_come_to_rest(request: HttpRequest, file: BroughtFile) -> bool:
    """Whether the page that asks still shows it at work: what came of it stands below that part."""
    return request.GET.get("state") != file.state and not file.is_at_work


def decide_about(request: HttpRequest, file: File, pages: Pages[File]) -> HttpResponse:
    """The second person's yes or no to what a file would do, as the form says."""
    reason = request.POST.get("reason", "").strip()
    is_yes = request.POST.get("verdict") == "apply"
    if not is_yes and not reason:
        messages.error(request, "Say why none of it is to count.")
        return pages.of(file.pk)
    try:
        if is_yes:
            apply_file(pages.kind, file.pk, by=me(request))
        else:
            reject_file(pages.kind, file.pk, by=me(request), reason=reason)
    except FileDecisionNotPermitted as refusal:
        raise PermissionDenied from refusal
    except FileByUploader:
        messages.error(request, "You brought this file, so somebody else has to agree.")
    except FileNotWaiting:
        messages.error(request, "This file does not wait for a decision any more.")
    else:
        messages.success(request, pages.agreed if is_yes else pages.refused)
    return pages.of(file.pk)
