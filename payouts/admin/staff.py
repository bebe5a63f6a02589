"""Members of staff and their groups, in the theme of the other pages.

What a role may do is fixed in `payouts.staff`. Further groups carry no permissions: they name
people, so that an approval rule can ask for somebody of them.
"""

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from consumers.admin.base import ModelAdmin, NoDelete, instant, label
from payouts.staff import ROLE_NAMES, ROLES

if TYPE_CHECKING:
    from django.contrib.auth.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    ThemedUserAdmin = DjangoUserAdmin[User]
else:
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    class ThemedUserAdmin(DjangoUserAdmin, ModelAdmin):
        pass


_SUMMARIES = {role.name: role.summary for role in ROLES}

# Nothing here is deleted by the page: where deleting is allowed at all it is done one by one.
admin.site.disable_action("delete_selected")
admin.site.unregister(User)
# Second factors and addresses of e-mail have pages of their own, or none.
admin.site.unregister([Authenticator, EmailAddress])
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(NoDelete, ThemedUserAdmin):
    """People are switched off, never deleted: their name stands in histories."""

    form: Any = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "roles", "state", "seen_at")
    list_filter = ("is_active", "groups")
    search_fields = ("username__istartswith", "last_name__istartswith", "email__istartswith")
    search_help_text = "How the user name, last name or e-mail begins"
    ordering = ("username",)
    sortable_by = ()
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        (
            "Roles",
            {
                "description": "One person may have several. Nobody decides about their own push.",
                "fields": ("is_active", "groups"),
            },
        ),
        ("Record", {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Whoever could change a superuser's password would be one.
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or "-"

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        names = sorted(group.name for group in user.groups.all())
        return ", ".join(["superuser", *names] if user.is_superuser else names) or "-"

    @admin.display(description="state")
    def state(self, user: User) -> SafeString:
        is_in = user.is_active and user.is_staff
        return label("may sign in" if is_in else "off", {"may sign in": "success"})

    @admin.display(description="last sign-in")
    def seen_at(self, user: User) -> SafeString | str:
        return instant(user.last_login)


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
