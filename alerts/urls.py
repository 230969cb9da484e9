"""Addresses of the alerts."""

from __future__ import annotations

from django.urls import path

from alerts import views

app_name = "alerts"
urlpatterns = [
    path("alerts/", views.alerts, name="alerts"),
    path("alerts/preferences/", views.preferences, name="preferences"),
    path("alerts/read/", views.read, name="read"),
    path("alerts/watch/", views.watch, name="watch"),
    path("alerts/unread/", views.unread, name="unread"),
    path("alerts/<int:rule_id>/drop/", views.drop, name="drop"),
]
