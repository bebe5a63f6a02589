"""What every page of the back office does alike: let in whom it is for, and look like the admin."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache

View = Callable[..., HttpResponseBase]


def staff_page(permission: str) -> Callable[[View], View]:
    """Make a view a page of the admin site, for those who have the permission.

    Others are refused (403) before the view is called; whoever is not signed in is asked to.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _require(request, permission)
            return view(request, *args, **kwargs)

        page = admin.site.admin_view(guarded)

        @wraps(view)
        def page_or_sign_in(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if _is_from_script(request) and not admin.site.has_permission(request):
                return _load_anew()
            return page(request, *args, **kwargs)

        return page_or_sign_in

    return decorated


def staff_fragment(permission: str) -> Callable[[View], View]:
    """Make a view a part of a page, that the page asks for by itself, again and again.

    Being asked for is nobody's doing, so it does not keep a session alive: an idle page still
    signs its person out. Then it is told to load itself anew, which leads to the sign-in.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not admin.site.has_permission(request):
                return _load_anew()
            _require(request, permission)
            response = view(request, *args, **kwargs)
            # A session that the request does not have any more is not prolonged by the middleware.
            del request.session
            return response

        return never_cache(guarded)

    return decorated


def shown(
    request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """A page in the frame of the admin site."""
    whole = {**admin.site.each_context(request), "title": title, **context}
    return TemplateResponse(request, template, whole, status=status)


def me(request: HttpRequest) -> User:
    """Whoever is signed in; the decorators above let nobody else through."""
    assert isinstance(request.user, User)
    return request.user


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _is_from_script(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def _load_anew() -> HttpResponse:
    """Tell the page that asked to load itself anew, so that the sign-in gets the whole of it."""
    return HttpResponse(headers={"HX-Refresh": "true"})
