"""The pages of signing in, and those on which a person keeps second factors and sessions.

django-allauth's views in our frame. A page that changes second factors asks for a fresh one first,
if there is one: a browser that was left open, or a stolen password, must not be enough.
"""

import json
from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.views import LoginView
from allauth.account.views import logout as allauth_logout
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.views import AddWebAuthnView, LoginWebAuthnView, RemoveWebAuthnView
from django.contrib import admin, messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from payouts.backoffice.pages import me
from payouts.backoffice.step_up import fresh_second_factor_to_look
from payouts.operations.end_sessions import (
    end_all_sessions,
    end_session,
    open_sessions,
    session_id,
)
from payouts.operations.members import choose_password
from payouts.operations.second_factors import OnlyFactor, changing_factors, has_second_factor
from payouts.sign_in.demo import shown_code
from payouts.sign_in.forms import OwnPasswordForm, RenamePasskeyForm
from payouts.sign_in.frame import framed
from payouts.sign_in.state import (
    forget_first_password,
    has_first_password,
    has_shown_second_factor,
)
from payouts.sign_in.words import ONLY_FACTOR

View = Callable[..., HttpResponse]

SECURITY = "Sign-in and security"


class Framed:
    """Gives a view of django-allauth the frame of the admin site, and a title."""

    request: HttpRequest
    title = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        whole: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        options = whole.pop("js_data", None)
        return {**framed(self.request, self.title), **whole, "options": json.dumps(options)}


class Enter(Framed, LoginView):  # type: ignore[misc]  # allauth ships no types
    template_name = "sign_in/enter.html"
    title = "Sign in"


class ShowSecondFactor(Framed, AuthenticateView):  # type: ignore[misc]
    template_name = "sign_in/second_factor.html"
    title = "Second factor"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        whole = super().get_context_data(**kwargs)
        person = self.stage.login.user
        types = set(Authenticator.objects.filter(user=person).values_list("type", flat=True))
        has_passkey = Authenticator.Type.WEBAUTHN in types
        return {
            **whole,
            "has_passkey": has_passkey,
            "has_app": Authenticator.Type.TOTP in types,
            "demo_code": shown_code(person),
        }


class ActivateApp(Framed, ActivateTOTPView):  # type: ignore[misc]
    template_name = "sign_in/app.html"
    title = "Set up an authenticator app"

    def form_valid(self, form: Any) -> HttpResponse:
        with changing_factors(me(self.request)):
            response: HttpResponse = super().form_valid(form)
        added = Authenticator.objects.get(user=me(self.request), type=Authenticator.Type.TOTP)
        let_in(self.request, added)
        return response


class AddPasskey(Framed, AddWebAuthnView):  # type: ignore[misc]
    template_name = "sign_in/passkey.html"
    title = "Add a passkey"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        whole = super().get_context_data(**kwargs)
        # Kept on the device, so that it can sign in without a user name.
        return {**whole, "options": json.dumps(webauthn.begin_registration(me(self.request), True))}  # noqa: FBT003

    def form_valid(self, form: Any) -> HttpResponse:
        with changing_factors(me(self.request)):
            response: HttpResponse = super().form_valid(form)
        mine = Authenticator.objects.filter(user=me(self.request))
        let_in(self.request, mine.filter(type=Authenticator.Type.WEBAUTHN).latest("pk"))
        return response


class RemoveApp(Framed, DeactivateTOTPView):  # type: ignore[misc]
    template_name = "sign_in/remove_app.html"
    title = "Remove the authenticator app"

    def form_valid(self, form: Any) -> HttpResponse:
        return removed(self.request, super().form_valid, form)


class RemovePasskey(Framed, RemoveWebAuthnView):  # type: ignore[misc]
    template_name = "sign_in/remove_passkey.html"
    title = "Remove a passkey"
    success_url = reverse_lazy("mfa_index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        whole = super().get_context_data(**kwargs)
        # Under the name `object` the theme would look for its page among those of models.
        return {"passkey": whole.pop("object"), **whole}

    def form_valid(self, form: Any) -> HttpResponse:
        return removed(self.request, super().form_valid, form)


class RecoveryCodes(Framed, ViewRecoveryCodesView):  # type: ignore[misc]
    template_name = "sign_in/recovery_codes.html"
    title = "Recovery codes"


class NewRecoveryCodes(Framed, GenerateRecoveryCodesView):  # type: ignore[misc]
    template_name = "sign_in/new_recovery_codes.html"
    title = "New recovery codes"

    def form_valid(self, form: Any) -> HttpResponse:
        with changing_factors(me(self.request)):
            response: HttpResponse = super().form_valid(form)
        return response


def removed(request: HttpRequest, remove: Callable[[Any], HttpResponse], form: Any) -> HttpResponse:
    """Remove a factor as the form asks, unless it is the only one."""
    try:
        with changing_factors(me(request)):
            return remove(form)
    except OnlyFactor:
        messages.error(request, ONLY_FACTOR)
        return HttpResponseRedirect(reverse("mfa_index"))


def let_in(request: HttpRequest, authenticator: Authenticator) -> None:
    """Count a factor that was just set up as shown, and begin a new session key with it."""
    if not has_shown_second_factor(request):
        request.session.cycle_key()
    record_authentication(request, me(request), "mfa", id=authenticator.pk, type=authenticator.type)


def guarded(view: View) -> View:
    """For pages that change second factors: whoever has one must show it, freshly.

    Whoever has none has just given a password, and may set up the first.
    """
    asking = fresh_second_factor_to_look(view)

    @never_cache
    @login_required
    def guard(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if has_shown_second_factor(request):
            return asking(request, *args, **kwargs)
        if has_second_factor(me(request)):
            # Set up elsewhere since: this session has to show it like every other.
            logout(request)
            return HttpResponseRedirect(reverse("account_login"))
        return view(request, *args, **kwargs)

    return guard


@never_cache
@login_required
def set_up(request: HttpRequest) -> HttpResponse:
    """Where somebody without a second factor is led, whatever the page asked for."""
    if has_second_factor(me(request)):
        if not has_shown_second_factor(request):
            logout(request)
        return HttpResponseRedirect(reverse("admin:index"))
    context = framed(request, "One more step")
    return TemplateResponse(request, "sign_in/set_up.html", context)


@sensitive_post_parameters()
@never_cache
@login_required
def choose_own_password(request: HttpRequest) -> HttpResponse:
    """Where somebody is led whose password was handed over, whatever the page asked for."""
    if not has_first_password(request):
        return HttpResponseRedirect(reverse("admin:index"))
    form = OwnPasswordForm(me(request), request.POST or None)
    if request.method == "POST" and form.is_valid():
        choose_password(me(request), form.cleaned_data["new_password1"])
        forget_first_password(request)
        # The other sessions rest on the old password; this one goes on under a new key.
        update_session_auth_hash(request, me(request))
        return HttpResponseRedirect(reverse("admin:index"))
    context = {**framed(request, "Choose your password"), "form": form}
    return TemplateResponse(request, "sign_in/choose_password.html", context)


@never_cache
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """One's own second factors and sessions."""
    mine = Authenticator.objects.filter(user=me(request)).order_by("created_at")
    by_type: dict[str, list[Authenticator]] = {}
    for one in mine:
        by_type.setdefault(one.type, []).append(one)
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES, [])
    context = {
        **framed(request, SECURITY),
        "app": next(iter(by_type.get(Authenticator.Type.TOTP, [])), None),
        "passkeys": by_type.get(Authenticator.Type.WEBAUTHN, []),
        "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else 0,
        "sessions": open_sessions(me(request)),
        "this_session": session_id(request.session.session_key or ""),
    }
    return TemplateResponse(request, "sign_in/security.html", context)


@never_cache
@login_required
def rename_passkey(request: HttpRequest, pk: int) -> HttpResponse:
    """A passkey's name is for its owner to tell it from others."""
    passkey = get_object_or_404(
        Authenticator, pk=pk, user=me(request), type=Authenticator.Type.WEBAUTHN
    )
    form = RenamePasskeyForm(request.POST or None, initial={"name": passkey.wrap().name})
    if request.method == "POST" and form.is_valid():
        passkey.data["name"] = form.cleaned_data["name"]
        passkey.save(update_fields=["data"])
        return HttpResponseRedirect(reverse("mfa_index"))
    context = {**framed(request, "Rename a passkey"), "form": form}
    return TemplateResponse(request, "sign_in/rename_passkey.html", context)


@login_required
@require_POST
def end_one(request: HttpRequest, session: str) -> HttpResponse:
    """Sign out one of one's own browsers."""
    if not end_session(me(request), session=session):
        raise Http404
    messages.success(request, "That browser is signed out.")
    return HttpResponseRedirect(reverse("mfa_index"))


@login_required
@require_POST
def end_all(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere, here too."""
    person = me(request)
    logout(request)
    end_all_sessions(person)
    return HttpResponseRedirect(reverse("account_login"))


def admin_login(request: HttpRequest) -> HttpResponse:
    """The admin site's own address for signing in leads to ours."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        logout(request)
    query = {"next": request.GET["next"]} if "next" in request.GET else None
    return HttpResponseRedirect(reverse("account_login", query=query))


enter = sensitive_post_parameters("password")(Enter.as_view())
show_second_factor = ShowSecondFactor.as_view()
enter_by_passkey = LoginWebAuthnView.as_view()
# By a button only: a link or an image somewhere else must not sign anybody out.
sign_out = require_POST(allauth_logout)
activate_app = guarded(ActivateApp.as_view())
remove_app = guarded(RemoveApp.as_view())
add_passkey = guarded(AddPasskey.as_view())
remove_passkey = guarded(RemovePasskey.as_view())
recovery_codes = guarded(RecoveryCodes.as_view())
new_recovery_codes = guarded(NewRecoveryCodes.as_view())
