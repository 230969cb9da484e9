"""What every address of the journal's API does: whose rows, refusals in the API's own shape, and keys of requests."""

from __future__ import annotations

import json
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.http import RawPostDataException
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from access.permissions.api import PLANS, MemberApi
from journal import operations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rest_framework.request import Request

HEADER: Final = "Idempotency-Key"
_MOST_KEY: Final = 255
ONCE: Final = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description=(
        "A new key of your own for each thing to be done (at most 255 visible ASCII characters). The same request with"
        " the same key is done once; later ones get the first answer, with `Idempotency-Replayed: true`. Another"
        " request with the key is refused with 422. Keys are kept for 24 hours; what was refused leaves none."
    ),
)
_CONFLICTS: Final = (
    operations.ArmedError,
    operations.SettledError,
    operations.NotEndedError,
    operations.ReviewedError,
)


class ConflictError(APIException):
    """What is there does not allow it."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


class OtherRequest(APIException):  # named for what was sent
    """A key came back with another request."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "other_request"


class Strict(serializers.Serializer[Any]):
    """What is sent; a name that is not known here is refused, not passed over."""

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401  # DRF's signature
        """Refuse other names than those of the fields."""
        known = super().to_internal_value(data)
        if strange := sorted(str(name) for name in set(data) - set(self.fields)):
            raise ValidationError({name: ["This can not be sent here: leave it out."] for name in strange})
        return known


class PageQuery(serializers.Serializer[Any]):
    before = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="what the last page said as `next`"
    )
    limit = serializers.IntegerField(default=50, min_value=1, max_value=200)


class JournalApi(MemberApi):
    """An address of the journal: own rows only, by session or by a key made for plans."""

    scope = PLANS

    def handle_exception(self, exc: Exception) -> Response:
        """Say what the operations refuse in the shape of the API: a sentence for each field, or what is in the way."""
        return super().handle_exception(_spelled(exc))


def _spelled(refusal: Exception) -> Exception:
    if isinstance(refusal, operations.UnfitError):
        return ValidationError({name: [sentence] for name, sentence in refusal.problems.items()})
    if isinstance(refusal, _CONFLICTS):
        return ConflictError(str(refusal))
    if isinstance(refusal, operations.OtherRequestError):
        return OtherRequest(str(refusal))
    return NotFound() if isinstance(refusal, ObjectDoesNotExist) else refusal


def owner_of(request: Request) -> int:
    """Return whose rows these are."""
    if request.user.pk is None:  # the policy lets nobody in without an account
        raise NotFound
    return int(request.user.pk)


def once(method: Callable[..., Response]) -> Callable[..., Response]:
    """Do a request that carries a key once, however often it is sent."""

    @wraps(method)
    def answered(self: JournalApi, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  # the handler's own
        key = request.headers.get(HEADER)
        if key is None:
            return method(self, request, *args, **kwargs)
        if not (0 < len(key) <= _MOST_KEY and key.isascii() and key.isprintable()):
            raise ValidationError({HEADER: [f"Send 1 to {_MOST_KEY} visible ASCII characters."]})

        def act() -> tuple[int, Any]:
            done = method(self, request, *args, **kwargs)
            return done.status_code, json.loads(JSONRenderer().render(done.data) or b"null")

        kept, is_replayed = operations.answer_once(
            owner_id=owner_of(request), key=key, request=_spell(request), act=act, now=timezone.now()
        )
        headers = {"Idempotency-Replayed": "true"} if is_replayed else None
        return Response(kept.body, status=kept.status, headers=headers)

    return answered


def _spell(request: Request) -> bytes:
    """Return what makes two requests the same. It is asked for before the body is parsed, which uses it up."""
    try:
        body = bytes(request._request.body)  # noqa: SLF001  # DRF's name for Django's request
    except RawPostDataException:  # a form, which is no JSON and is refused
        body = b""
    return f"{request.method} {request.get_full_path()}\n".encode() + body


def read_page(request: Request) -> tuple[int | None, int]:
    """Return before what and how many are asked for."""
    asked = PageQuery(data=request.query_params)
    asked.is_valid(raise_exception=True)
    return asked.validated_data.get("before"), asked.validated_data["limit"]


def paged(found: list[Any], limit: int, *, by: str = "pk") -> Mapping[str, Any]:
    """Return a page of ``limit`` rows out of one more, and what to ask for the next one with."""
    page = found[:limit]
    return {"next": getattr(page[-1], by) if len(found) > limit else None, "results": page}
