"""Addresses of the account pages."""

from __future__ import annotations

from django.urls import path

from access import views

app_name = "access"
urlpatterns = [
    path("login/", views.log_in, name="login"),
    path("logout/", views.log_out, name="logout"),
    path("enter/<str:token>/", views.enter, name="enter"),
    path("account/", views.account, name="account"),
    path("account/keys/<int:key_id>/revoke/", views.revoke_key, name="key-revoke"),
]
