"""The addresses of signing in, inside those of the admin site.

django-allauth finds its way by the names without a prefix; what it offers besides (signing up,
e-mail addresses, resetting a password by mail) has no address here.
"""

from django.urls import include, path

from payouts.sign_in import views

OWN = [
    path("password/", views.choose_own_password, name="choose_password"),
    path("set-up/", views.set_up, name="set_up"),
    path("sessions/end-all/", views.end_all, name="end_all"),
    path("sessions/<slug:session>/end/", views.end_one, name="end_one"),
]

urlpatterns = [
    path("login/", views.admin_login),
    path("sign-in/", views.enter, name="account_login"),
    path("sign-in/second-factor/", views.show_second_factor, name="mfa_authenticate"),
    path("sign-in/passkey/", views.enter_by_passkey, name="mfa_login_webauthn"),
    path("sign-out/", views.sign_out, name="account_logout"),
    path("security/", views.security, name="mfa_index"),
    path("security/", include((OWN, "sign_in"))),
    path("security/app/", views.activate_app, name="mfa_activate_totp"),
    path("security/app/remove/", views.remove_app, name="mfa_deactivate_totp"),
    path("security/passkeys/add/", views.add_passkey, name="mfa_add_webauthn"),
    path("security/passkeys/<int:pk>/rename/", views.rename_passkey, name="mfa_edit_webauthn"),
    path("security/passkeys/<int:pk>/remove/", views.remove_passkey, name="mfa_remove_webauthn"),
    path("security/recovery-codes/", views.recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "security/recovery-codes/new/",
        views.new_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
]
