"""What every page of the back office does alike: let in whom it is for, and look like the admin."""

from collections.abc import Callable
from functools import wraps
from pathlib import PurePosixPath
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import resolve, reverse
from django.views.decorators.cache import never_cache

from consumers.admin.base import me as me

View = Callable[..., HttpResponseBase]

NOT_ALLOWED: Final = 405
_NOT_SENT: Final = (
    "Nothing was sent just now. See here whether what you wanted is done, and do it again if not."
)


def staff_page(
    permission: str, *, kept: Callable[[HttpRequest], str] | None = None
) -> Callable[[View], View]:
    """Make a view a page of the admin site, for those who have the permission.

    Others are refused (403) before the view is called; whoever is not signed in is asked to. Where
    only a form is taken, a person who opens the address is shown the page above it: the sign-in
    leads there, if a session ended before its form was sent. `kept` can do better: it gives the
    address of a page with what the form held, to which the sign-in leads; or nothing. Whoever sent
    the form is not known then, so it may read only what was sent.
    """

    def decorated(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _require(request, permission)
            response = view(request, *args, **kwargs)
            if response.status_code == NOT_ALLOWED and _is_opened_by_a_person(request):
                return _page_above(request)
            return response

        page = admin.site.admin_view(guarded)

        @wraps(view)
        def page_or_sign_in(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if _is_from_script(request) and not admin.site.has_permission(request):
                return load_anew()
            if kept and request.method == "POST" and not admin.site.has_permission(request):
                return redirect_to_login(kept(request) or request.path, reverse("admin:login"))
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
                return load_anew()
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


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _is_from_script(request: HttpRequest) -> bool:
    return "HX-Request" in request.headers


def _is_opened_by_a_person(request: HttpRequest) -> bool:
    """Whether a browser's window goes there. Programs are told what is wrong with their request."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"


def _page_above(request: HttpRequest) -> HttpResponse:
    """Lead to the nearest address above this one that is a page, and say that nothing was done."""
    messages.warning(request, _NOT_SENT)
    above = PurePosixPath(request.path)
    # Below the site's own addresses a nameless one takes whatever is not there.
    while (above := above.parent) != above.parent and resolve(f"{above}/").url_name is None:
        pass
    return redirect(f"{above}/")


def load_anew() -> HttpResponse:
    """Tell the page that asked to load itself anew, so that the sign-in gets the whole of it."""
    return HttpResponse(headers={"HX-Refresh": "true"})
