"""How often a door of the accounts may be knocked at: counted in PostgreSQL, before anything is looked up."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING

from allauth.account.internal.stagekit import get_pending_stage
from django.shortcuts import render
from django.utils import timezone

from access.forms import client_address, read_device
from access.operations import allow_at_door

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

    from access.models import User
    from access.permissions import View


def by_visitor(request: HttpRequest) -> str:
    """Name the account that is logged in, else the network."""
    if request.user.is_authenticated:
        return _account(request, request.user)
    return f"address:{client_address(request)}"


def by_half_logged_in(request: HttpRequest) -> str:
    """Name the account whose second factor is asked for."""
    stage = get_pending_stage(request)
    return _account(request, stage.login.user) if stage is not None else by_visitor(request)


def counted(door: str, view: View, *, source: Callable[[HttpRequest], str] = by_visitor) -> View:
    """Answer 429 where more is sent to a door than ``access.operations.DOOR_ALLOWANCES`` says; reading is free."""

    @wraps(view)
    def answered(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method == "POST" and not allow_at_door(door=door, source=source(request), now=timezone.now()):
            return too_many(request)
        return view(request, *args, **kwargs)

    return answered


def too_many(request: HttpRequest) -> HttpResponse:
    """Say that it was too often."""
    return render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)


def _account(request: HttpRequest, user: User) -> str:
    # A device that has logged in before counts apart: who found out the password can not keep the owner out.
    return f"user:{user.pk}:{read_device(request, user.email) or ''}"
