"""What every admin page shares: the theme's classes with types, who may write, the look of cells.

The theme ships without types, so it is imported here only, and looks to the type checker like the
admin classes of Django that it extends. No model and no rule of the business belongs here.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consumers.admin.audited import Audited
from consumers.admin.zone import in_zone, viewer_zone

Row = TypeVar("Row", bound=Model)
Verb = TypeVar("Verb", bound=Callable[..., Any])

if TYPE_CHECKING:
    from django.contrib.admin import TabularInline as TabularInline
    from django.contrib.admin.views.main import ChangeList as ChangeList

    class ModelAdmin(Audited[Row]):
        def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]: ...

    def detail_verb(
        *, permissions: list[str], description: str, url_path: str, icon: str, variant: str
    ) -> Callable[[Verb], Verb]: ...

else:
    from unfold import admin as unfold_admin
    from unfold.decorators import action as unfold_action
    from unfold.enums import ActionVariant
    from unfold.views import ChangeList  # noqa: F401  # imported from here

    class ModelAdmin(Audited, unfold_admin.ModelAdmin):
        pass

    class TabularInline(unfold_admin.TabularInline):
        def __class_getitem__(cls, _models):
            return cls

    def detail_verb(*, variant, **options):
        """Make a method a button of an object's page, for those whom `permissions` let."""
        return unfold_action(variant=ActionVariant[variant.upper()], **options)


def me(request: HttpRequest) -> User:
    """Whoever is signed in; the admin site lets nobody else through."""
    assert isinstance(request.user, User)
    return request.user


class ReadOnly:
    """Nobody adds, changes or deletes these rows by hand, superusers included.

    For rows of money and of history: what happens to them happens through a verb. Mix in before the
    admin class.
    """

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class NoDelete:
    """These rows are switched off, never deleted, by anybody. Mix in before the admin class."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class VerbAdmin(ModelAdmin[Row]):
    """An admin whose pages have verbs. Only those that fit the row's state are offered."""

    def offered(self, request: HttpRequest, row: Row) -> Collection[str]:
        """Name the verbs (methods) that this person could do to this row now."""
        return ()

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        row = self.get_object(request, object_id)
        names = () if row is None else self.offered(request, row)
        return [
            verb
            for verb in super().get_actions_detail(request, object_id)
            if verb.method.original_function_name in names
        ]

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Row | None:
        # A page asks twice, once for its buttons and once for its contents.
        read: dict[str, Row | None] = request.__dict__.setdefault("_rows_of_page", {})
        if object_id not in read:
            read[object_id] = self._read(request, object_id)
        return read[object_id]

    def rows_for_page(self, request: HttpRequest) -> QuerySet[Row]:
        """Rows with all that the page of one shows, where that is more than the list needs."""
        return self.get_queryset(request)

    def _read(self, request: HttpRequest, object_id: str) -> Row | None:
        assert self.opts.pk is not None
        try:
            key = self.opts.pk.to_python(object_id)
        except ValidationError:
            return None
        return self.rows_for_page(request).filter(pk=key).order_by().first()

    def row_or_404(self, request: HttpRequest, object_id: str) -> Row:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row


def money(amount: Decimal | None) -> SafeString | str:
    """Dollars with two decimals and thousands apart, in digits of one width for right alignment."""
    if amount is None:
        return "-"
    return format_html('<span class="money">{}</span>', f"{amount:,.2f}")


def number(count: int) -> SafeString:
    """A count, aligned like money."""
    return format_html('<span class="money">{}</span>', f"{count:,}")


def instant(at: datetime | None, *, is_exact: bool = False) -> SafeString | str:
    """A point in time in the viewer's zone, to the minute or, when `is_exact`, to the second; when
    hovered in UTC."""
    if at is None:
        return "-"
    local = in_zone(at, zone=viewer_zone())
    return format_html(
        '<time datetime="{}" title="{}" class="instant">{}</time>',
        at.isoformat(),
        at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        local.strftime("%d %b %Y, %H:%M:%S" if is_exact else "%d %b %Y, %H:%M"),
    )


def label(text: str, tones: Mapping[str, str]) -> SafeString:
    """A stored word in its colour: `info`, `success`, `warning`, `danger`, or none for neutral."""
    tone = tones.get(text, "neutral")
    return format_html('<span class="tone tone-{}">{}</span>', tone, text.replace("_", " "))


def clipped(text: str) -> SafeString | str:
    """A text of any length as one line of a table, whole when hovered."""
    if not text:
        return "-"
    return format_html('<span class="clipped" title="{}">{}</span>', text, text)


def link(address: str, text: str) -> SafeString:
    return format_html('<a class="quiet-link" href="{}">{}</a>', address, text)
