"""Addresses of the journal."""

from __future__ import annotations

from django.urls import path

from journal import views

app_name = "journal"
urlpatterns = [
    path("plans/", views.plans, name="plans"),
    path("plans/new/", views.new_plan, name="plan-new"),
    path("plans/check/", views.check, name="plan-check"),
    path("plans/figures/", views.figures, name="plan-figures"),
    path("plans/keep/", views.keep, name="plan-keep"),
    path("plans/forget/", views.forget, name="plan-forget"),
    path("plans/export.json", views.export, name="export"),
    path("plans/export.zip", views.export_tables, name="export-tables"),
    path("plans/imported/", views.moved_journals, name="moved-journals"),
    path("plans/imported/<row_id:pk>/", views.moved, name="moved"),
    path("plans/imported/<row_id:pk>/take-in/", views.take_in_moved, name="moved-take-in"),
    path("plans/<int:number>/", views.plan, name="plan"),
    path("plans/<int:number>/edit/", views.edit_plan, name="plan-edit"),
    path("plans/<int:number>/arm/", views.arm, name="plan-arm"),
    path("plans/<int:number>/undo/", views.undo, name="plan-undo"),
    path("plans/<int:number>/amend/", views.amend, name="plan-amend"),
    path("plans/<int:number>/evidence.json", views.evidence, name="plan-evidence"),
    path("plans/<int:number>/review/", views.review_plan, name="plan-review"),
    path("trades/", views.trades, name="trades"),
    path("trades/files/", views.files, name="trade-files"),
    path("trades/files/<row_id:pk>/", views.file, name="trade-file"),
    path("trades/files/<row_id:pk>/take-in/", views.take_in, name="trade-file-take-in"),
    path("trades/fills/new/", views.new_fill, name="fill-new"),
    path("trades/fills/<row_id:pk>/drop/", views.drop_fill, name="fill-drop"),
    path("trades/<row_id:pk>/", views.trade, name="trade"),
    path("trades/<row_id:pk>/plan/", views.choose_plan, name="trade-plan"),
    path("trades/<row_id:pk>/review/", views.review_trade, name="trade-review"),
    path("reviews/<row_id:pk>/remark/", views.remark, name="review-remark"),
    path("review/", views.review, name="review"),
    path("review/course/", views.course, name="course"),
    path("review/week/", views.week, name="week"),
    path("review/calendar/", views.month, name="calendar"),
]
