"""Addresses of the account pages."""

from __future__ import annotations

from anymail.urls import urlpatterns as services
from django.conf import settings
from django.urls import path

from access.permissions import public
from access.views import account, early, mail, waves

# Where a mail service reports bounces and complaints; without its secret nobody could tell it from a stranger.
_REPORTS = f"{settings.MAIL_SERVICE}_tracking_webhook" if settings.ANYMAIL.get("WEBHOOK_SECRET") else ""

app_name = "access"
urlpatterns = [
    path("enter/<str:token>/", account.enter, name="enter"),
    path("account/", account.account, name="account"),
    path("account/preferences/", account.preferences, name="preferences"),
    path("account/export/", account.export, name="export"),
    path("account/erase/", account.erase, name="erase"),
    path("account/keys/<int:key_id>/revoke/", account.revoke_key, name="key-revoke"),
    path("early-access/", early.request_access, name="early-request"),
    path("early-access/sent/", early.sent, name="early-sent"),
    path("early-access/confirm/<str:token>/", early.confirm, name="early-confirm"),
    path("early-access/invite/<str:token>/", early.invite, name="early-invite"),
    path("early-access/yours/<str:token>/", early.yours, name="early-yours"),
    path("early-access/yours/<str:token>/export/", early.export, name="early-export"),
    path("early-access/yours/<str:token>/erase/", early.erase, name="early-erase"),
    path("early-access/operator/", waves.operator, name="early-operator"),
    path("early-access/operator/waves/", waves.draft, name="early-draft"),
    path("early-access/operator/waves/<int:pk>/", waves.wave, name="early-wave"),
    path("early-access/operator/waves/<int:pk>/<slug:name>/", waves.step, name="early-step"),
    path("early-access/operator/export/", waves.export, name="early-csv-out"),
    path("early-access/operator/import/", waves.import_sheet, name="early-csv-in"),
    path("outbox/", mail.outbox, name="outbox"),
    path("outbox/<int:pk>/", mail.outbox_mail, name="outbox-mail"),
    path("outbox/<int:pk>/html/", mail.outbox_html, name="outbox-html"),
    path("mails/", mail.notices, name="notices"),
    path("mails/<path:slug>/", mail.notice, name="notice"),
    path("unsubscribe/<str:token>/", mail.unsubscribe, name="unsubscribe"),
    *(path("mail-events/", public(one.callback), name="mail-events") for one in services if one.name == _REPORTS),
]
