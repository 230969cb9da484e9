"""Addresses of the pages about the data; for staff."""

from __future__ import annotations

from django.urls import path

from market import views

app_name = "market"
urlpatterns = [
    path("data/", views.data, name="data"),
    path("data/venues/", views.venues, name="venues"),
    path("data/quarantine/", views.quarantine, name="quarantine"),
    path("data/quarantine/decide/", views.decide, name="decide"),
]
