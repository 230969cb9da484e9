"""Addresses of the pages that allauth runs, under the names by which it looks them up."""

from __future__ import annotations

from django.urls import path, re_path

from access.views import entrance

urlpatterns = [
    path("login/", entrance.log_in, name="account_login"),
    path("login/second-factor/", entrance.second_factor, name="mfa_authenticate"),
    path("login/passkey/", entrance.passkey_log_in, name="mfa_login_webauthn"),
    path("logout/", entrance.log_out, name="account_logout"),
    path("signup/", entrance.sign_up, name="account_signup"),
    path("asleep/", entrance.asleep, name="account_inactive"),
    path("confirm/", entrance.confirm_sent, name="account_email_verification_sent"),
    re_path(r"^confirm/(?P<key>[-:\w]+)/$", entrance.confirm, name="account_confirm_email"),
    path("reset/", entrance.reset, name="account_reset_password"),
    path("reset/sent/", entrance.reset_sent, name="account_reset_password_done"),
    path("reset/done/", entrance.reset_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", entrance.reset_key, name="account_reset_password_from_key"
    ),
    path("account/again/", entrance.reauthenticate, name="account_reauthenticate"),
    path("account/email/", entrance.email, name="account_email"),
    path("account/password/", entrance.change_password, name="account_change_password"),
    path("account/password/set/", entrance.set_password, name="account_set_password"),
    path("account/sessions/", entrance.session_list, name="usersessions_list"),
    path("account/security/", entrance.factors_index, name="mfa_index"),
    path("account/security/again/", entrance.reauthenticate_factor, name="mfa_reauthenticate"),
    path("account/security/totp/", entrance.totp_on, name="mfa_activate_totp"),
    path("account/security/totp/off/", entrance.totp_off, name="mfa_deactivate_totp"),
    path("account/security/codes/", entrance.codes_shown, name="mfa_view_recovery_codes"),
    path("account/security/codes/new/", entrance.codes_made, name="mfa_generate_recovery_codes"),
    path("account/security/codes/file/", entrance.codes_file, name="mfa_download_recovery_codes"),
    path("account/security/passkeys/", entrance.passkey_list, name="mfa_list_webauthn"),
    path("account/security/passkeys/new/", entrance.passkey_add, name="mfa_add_webauthn"),
    path("account/security/passkeys/again/", entrance.reauthenticate_passkey, name="mfa_reauthenticate_webauthn"),
    path("account/security/passkeys/<int:pk>/", entrance.passkey_edit, name="mfa_edit_webauthn"),
    path("account/security/passkeys/<int:pk>/remove/", entrance.passkey_remove, name="mfa_remove_webauthn"),
]
