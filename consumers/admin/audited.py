"""Records in the audit trail what people do on admin pages: forms that were saved, pages looked at.

Verbs are not recorded here: what they call records itself, whatever the way in.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.forms import BaseForm, model_to_dict
from django.http import HttpRequest, HttpResponse

from consumers.audit import Act, Subject, Verb, record_act, subject_of

Row = TypeVar("Row", bound=Model)

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin as AnyAdmin
else:

    class AnyAdmin:
        def __class_getitem__(cls, _row):
            return cls


class Audited(AnyAdmin[Row]):
    """Mixed in by the base of all admin classes of the product.

    `added_by_operation`: fields of a form that adds by calling an operation, which leaves an entry
    about them itself; what else was typed is then a change.
    `records_views`: one entry for each time that somebody opens a row's page.
    """

    added_by_operation: frozenset[str] = frozenset()
    records_views = False

    def audited_subject(self, row: Model) -> Subject:
        """How the row is called in the trail."""
        return subject_of(row)

    def construct_change_message(
        self,
        request: HttpRequest,
        form: Any,
        formsets: Any,
        add: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        # The admin calls this between saving a form and logging that it was; only the form knows
        # what stood there before.
        request.__dict__["_saved_form"] = form
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        form = _saved_form(request)
        if form is not None and self.added_by_operation:
            self._record_change(obj, form, recorded=self.added_by_operation)
        elif form is not None:
            subject, after = self.audited_subject(obj), form.cleaned_data
            record_act(Act(verb=Verb.ADD, subject=subject, after=after))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        form = _saved_form(request)
        # Without a form it is a verb's message, and what the verb called has left the entry.
        if form is not None:
            self._record_change(obj, form)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Any]) -> Any:
        rows = list(queryset)
        for row in rows:
            subject, before = self.audited_subject(row), model_to_dict(row)
            record_act(Act(verb=Verb.DELETE, subject=subject, before=before))
        return super().log_deletions(request, rows)  # type: ignore[arg-type]

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context.get("original")
        if self.records_views and row is not None and request.method == "GET":
            record_act(Act(verb=Verb.VIEW, subject=self.audited_subject(row)))
        return super().render_change_form(request, context, *args, **kwargs)

    def _record_change(
        self, row: Row, form: BaseForm, *, recorded: frozenset[str] = frozenset()
    ) -> None:
        names = [name for name in form.changed_data if name not in recorded]
        if not names:
            return
        before = {name: _initial(form, name) for name in names if name in form.fields}
        # A password's form speaks of a field that it does not have.
        after = {name: form.cleaned_data.get(name, "changed") for name in names}
        subject = self.audited_subject(row)
        record_act(Act(verb=Verb.CHANGE, subject=subject, before=before, after=after))


def _saved_form(request: HttpRequest) -> BaseForm | None:
    form: BaseForm | None = request.__dict__.pop("_saved_form", None)
    return form


def _initial(form: BaseForm, name: str) -> Any:
    """What stood in the field before. Of a row the form knows the key only; people read names."""
    field = form.fields[name]
    value = form.get_initial_for_field(field, name)
    rows = getattr(field, "queryset", None)
    if rows is None or value is None or isinstance(value, Iterable):
        return value
    return rows.filter(pk=value).first() or value
