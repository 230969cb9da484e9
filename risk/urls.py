"""Addresses of the calculators."""

from __future__ import annotations

from django.urls import path

from risk import views

app_name = "risk"
urlpatterns = [
    path("tools/", views.tools, name="tools"),
    path("tools/<slug:slug>/", views.tool, name="tool"),
]
