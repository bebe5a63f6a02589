"""Changes of members of staff: who is let in, with which roles, and a new way in for them.

An admin who could do this alone could make a second self, and four eyes would be two again.
"""

from django.contrib.auth.models import Group, User

from payouts.changes import Contents
from payouts.models import ChangeRequest
from payouts.models.changes import MEMBER
from payouts.operations.change_kinds.base import Kind, NotAChange, Target, valid
from payouts.operations.members import give_password, member_fields, set_member
from payouts.staff import DECIDE_CHANGE

KEEP_STAFF = "auth.change_user"


class _MakesPassword(Kind):
    """The proposer fetches a password of the member, once, and hands it over."""

    def collect(self, change: ChangeRequest) -> str:
        return give_password(User.objects.get(pk=change.result))

    def owner_of_secret(self, change: ChangeRequest) -> str:
        return User.objects.get(pk=change.result).get_username()


class MemberKind(_MakesPassword):
    """A member of staff; the subject is their key, empty for a new one."""

    name = MEMBER
    proposes = KEEP_STAFF
    decides = frozenset({DECIDE_CHANGE, KEEP_STAFF})
    bootstraps = True

    def now(self, target: Target, after: Contents) -> Contents:
        user = _member(target)
        return {} if user is None else {**member_fields(user)}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        user = _member(target)
        _require_superuser(user, proposer)
        row = User.objects.get(pk=user.pk) if user else User(is_staff=True)
        for name in ("username", "first_name", "last_name", "email", "is_active"):
            setattr(row, name, after[name])
        valid(row, exclude=["password"])
        groups = sorted(set(after["groups"]))
        if Group.objects.filter(name__in=groups).count() != len(groups):
            raise NotAChange({"groups": ["There is no such group."]})
        return {**{name: after[name] for name in after if name != "groups"}, "groups": groups}

    def label(self, target: Target, after: Contents) -> str:
        new = "New member" if not target.subject else "Member"
        return f"{new} of staff {after['username']}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        user, after = _member(Target(None, change.subject)), change.after
        row = User.objects.get(pk=user.pk) if user else User(is_staff=True)
        row.username = after["username"]
        valid(row, exclude=["password"])
        try:
            member = set_member(
                user,
                {
                    "username": after["username"],
                    "first_name": after["first_name"],
                    "last_name": after["last_name"],
                    "email": after["email"],
                    "is_active": after["is_active"],
                    "groups": after["groups"],
                },
            )
        except Group.DoesNotExist as error:
            raise NotAChange("A group that was chosen is gone.") from error
        return str(member.pk)

    def concerned(self, target: Target) -> User | None:
        return _member(target)

    def lock(self, target: Target) -> None:
        # Switching somebody off takes the same lock, and must not be undone by this.
        if target.subject.isdigit():
            User.objects.select_for_update(no_key=True).filter(pk=int(target.subject)).first()

    def makes_secret(self, change: ChangeRequest) -> bool:
        return not change.before


class PasswordKind(_MakesPassword):
    """A new password for a member, which the proposer fetches once and hands over."""

    name = "staff_password"
    proposes = KEEP_STAFF
    decides = frozenset({DECIDE_CHANGE, KEEP_STAFF})

    def now(self, target: Target, after: Contents) -> Contents:
        return {"username": _present(target).get_username(), "renewed": False}

    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        user = _present(target)
        _require_superuser(user, proposer)
        if user.pk == proposer.pk:
            raise NotAChange("Change your own password where you sign in.")
        return {"username": user.get_username(), "renewed": True}

    def label(self, target: Target, after: Contents) -> str:
        return f"New password for {after['username']}"

    def apply(self, change: ChangeRequest, *, by: User) -> str:
        return str(_present(Target(None, change.subject)).pk)

    def concerned(self, target: Target) -> User | None:
        return _present(target)

    def makes_secret(self, change: ChangeRequest) -> bool:
        return True


def _member(target: Target) -> User | None:
    if not target.subject:
        return None
    return _present(target)


def _present(target: Target) -> User:
    key = int(target.subject) if target.subject.isdigit() else 0
    user = User.objects.filter(pk=key).first()
    if user is None:
        raise NotAChange("There is no such member of staff.")
    return user


def _require_superuser(user: User | None, proposer: User) -> None:
    # Whoever could change a superuser would be one.
    if user is not None and user.is_superuser and not proposer.is_superuser:
        raise NotAChange("Only a superuser proposes changes of a superuser.")
