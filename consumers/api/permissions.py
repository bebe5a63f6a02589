"""What a token's scope allows."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from consumers.api.authentication import caller_of

if TYPE_CHECKING:
    # The settings name this module, so rest_framework.views imports it while it is not complete.
    from rest_framework.views import APIView

READ = "api:read"
WRITE = "api:write"


class InsufficientScope(PermissionDenied):
    """The token is good, but was not given for this (RFC 6750 §3.1)."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This needs a token with the scope {scope}.", "insufficient_scope")
        self.scope = scope


class HasScope(BasePermission):
    """Reading needs `api:read` or `api:write`, everything else `api:write`."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.auth is None:
            # DRF answers this as "not authenticated".
            return False
        scopes = caller_of(request).scopes
        reads = self.is_reading(request)
        if WRITE in scopes or (READ in scopes and reads):
            return True
        raise InsufficientScope(READ if reads else WRITE)

    def is_reading(self, request: Request) -> bool:
        return request.method in SAFE_METHODS


class HasScopeToRead(HasScope):
    """For a question that comes with a body: its POST changes nothing."""

    def is_reading(self, request: Request) -> bool:
        return True
