"""Every address of the product, by room."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from bhweb import health, metrics, research, views, welcome

urlpatterns = [
    path("", views.landing, name="landing"),
    path("method/", views.method, name="method"),
    path("glossary/", views.glossary, name="glossary"),
    path("welcome/", welcome.welcome, name="welcome"),
    path("welcome/read/", welcome.read, name="welcome-read"),
    path("welcome/done/", welcome.done, name="welcome-done"),
    path("research/", research.listing, name="research"),
    path("research/feed.atom", research.feed, name="research-feed"),
    path("research/<slug:slug>/", research.article, name="research-article"),
    path("research/<slug:slug>.png", research.picture, name="research-picture"),
    path("healthz", health.healthz, name="healthz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("", include("access.urls")),
    path("", include("access.entrance_urls")),
    path("", include("heatmaps.urls")),
    path("", include("journal.urls")),
    path("", include("alerts.urls")),
    path("", include("market.urls")),
    path("", include("risk.urls")),
    path("api/", include("bhweb.api_urls")),
    path("admin/", admin.site.urls),
]

handler400 = "bhweb.failures.bad_request"
handler500 = "bhweb.failures.server_error"
