"""Members of staff and their groups, in the theme of the other pages.

What a role may do is fixed in `payouts.staff`. Further groups carry no permissions: they name
people, so that an approval rule can ask for somebody of them.
"""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consumers.admin.base import ModelAdmin, ReadOnly, detail_verb, instant, label
from consumers.admin.verbs import Question, ask, back_to
from consumers.search import staff_called
from payouts.admin.staff_access import VERBS as ACCESS_VERBS
from payouts.admin.staff_access import StaffAccess, WhyForm
from payouts.operations.count_tries import locks_of
from payouts.operations.members import NotAboutASuperuser, NotAboutYourself, switch_off_member
from payouts.staff import ROLE_NAMES, ROLES

_SUMMARIES = {role.name: role.summary for role in ROLES}

# Nothing here is deleted by the page: where deleting is allowed at all it is done one by one.
admin.site.disable_action("delete_selected")
admin.site.unregister(User)
# Second factors and addresses of e-mail have pages of their own, or none.
admin.site.unregister([Authenticator, EmailAddress])
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(ReadOnly, StaffAccess):
    """People are taken on and changed by two, switched off by one, and never deleted."""

    list_display = ("username", "full_name", "roles", "state", "seen_at")
    list_filter = ("is_active", "groups")
    search_fields = ("username__istartswith", "last_name__istartswith", "email__istartswith")
    search_help_text = "How names, user name or e-mail begin"
    ordering = ("username",)
    sortable_by = ()
    actions_detail = ("propose_change", "propose_password", *ACCESS_VERBS, "switch_off")
    fieldsets = (
        (None, {"fields": ("name", "full_name", "address", "state")}),
        ("Roles", {"fields": ("roles",)}),
        ("Record", {"fields": ("seen_at", "joined_at")}),
    )
    readonly_fields = ("name", "full_name", "address", "state", "roles", "seen_at", "joined_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(pk__in=staff_called(search_term).values("pk")), False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changes = super().get_changelist_instance(request)
        people = list(changes.result_list)
        locks = locks_of(people, at=timezone.now())
        for user in people:
            user.locks = locks
        return changes

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("auth.change_user")

    def offered(self, request: HttpRequest, row: User) -> tuple[str, ...]:
        # Whoever could change a superuser would be one.
        if row.is_superuser and not request.user.is_superuser:
            return ()
        if row.pk == request.user.pk:
            return ("propose_change",)
        stop = ("switch_off",) if row.is_active else ()
        return ("propose_change", "propose_password", *ACCESS_VERBS, *stop)

    @detail_verb(
        permissions=["manage"],
        description="Propose a change",
        url_path="propose-change",
        icon="edit",
        variant="default",
    )
    def propose_change(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _to_proposal("staff_member", self.row_or_404(request, object_id))

    @detail_verb(
        permissions=["manage"],
        description="Propose a new password",
        url_path="propose-password",
        icon="password",
        variant="default",
    )
    def propose_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return _to_proposal("staff_password", self.row_or_404(request, object_id))

    @detail_verb(
        permissions=["manage"],
        description="Switch off",
        url_path="switch-off",
        icon="block",
        variant="danger",
    )
    def switch_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self.row_or_404(request, object_id)
        form = WhyForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            question = Question(
                title="Switch this person off",
                consequences="Every page is refused to them from the next request on, and what "
                "they have proposed cannot be approved. You can do this alone; letting them in "
                "again takes two.",
                facts=[("User name", user.username), ("Name", user.get_full_name() or "-")],
                tone="danger",
            )
            return ask(request, question, site=self.admin_site, about=user, form=form)
        assert isinstance(request.user, User)
        try:
            switch_off_member(user, by=request.user, reason=form.cleaned_data["reason"])
        except NotAboutYourself:
            messages.error(request, "Somebody else has to switch you off.")
        except NotAboutASuperuser:
            messages.error(request, "Only a superuser switches a superuser off.")
        else:
            messages.success(request, f"{user.username} is switched off.")
        return back_to(user)

    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "-"

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        names = sorted(group.name for group in user.groups.all())
        return ", ".join(["superuser", *names] if user.is_superuser else names) or "-"

    @admin.display(description="state")
    def state(self, user: User) -> SafeString:
        if not (user.is_active and user.is_staff):
            return label("off", {})
        locks = getattr(user, "locks", None)
        until = (locks_of([user], at=timezone.now()) if locks is None else locks).get(user.pk)
        if until is None:
            return label("may sign in", {"may sign in": "success"})
        words = label("locked after wrong tries", {"locked after wrong tries": "warning"})
        return format_html("{} until {}", words, instant(until))

    # Under names of our own: the page would print Django's advice on choosing them, and UTC.
    @admin.display(description="user name")
    def name(self, user: User) -> str:
        return user.username

    @admin.display(description="e-mail")
    def address(self, user: User) -> str:
        return user.email or "-"

    @admin.display(description="last sign-in")
    def seen_at(self, user: User) -> SafeString | str:
        return instant(user.last_login)

    @admin.display(description="taken on")
    def joined_at(self, user: User) -> SafeString | str:
        return instant(user.date_joined)


@admin.register(Group)
class GroupAdmin(ModelAdmin[Group]):
    list_display = ("name", "purpose", "members")
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        return super().get_queryset(request).annotate(people=Count("user"))

    def get_fields(self, request: HttpRequest, obj: Group | None = None) -> tuple[str, ...]:
        return ("name",) if obj is None else ("name", "purpose", "members", "permitted")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Group | None = None
    ) -> tuple[str, ...]:
        return ("purpose", "members", "permitted")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_role(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and not _is_role(obj)

    @admin.display(description="purpose")
    def purpose(self, group: Group) -> str:
        return _SUMMARIES.get(group.name, "Named by approval rules.")

    @admin.display(description="members")
    def members(self, group: Group) -> int:
        return group.people  # type: ignore[attr-defined,no-any-return]

    @admin.display(description="may")
    def permitted(self, group: Group) -> SafeString | str:
        names = group.permissions.order_by("content_type__model", "codename")
        return format_html_join("", "<div>{}</div>", ((p.name,) for p in names)) or "-"


def _is_role(group: Group | None) -> bool:
    return group is not None and group.name in ROLE_NAMES


def _to_proposal(kind: str, user: User) -> HttpResponse:
    query = {"subject": str(user.pk)}
    return HttpResponseRedirect(reverse("backoffice:propose", args=[kind], query=query))
