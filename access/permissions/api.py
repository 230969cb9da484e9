"""The policy of the API. It stands apart because DRF's views load the authentication beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.views import APIView

from access.permissions import MEMBER, ApiKeyAuthentication, keep_private

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the package has no types here
    """What the schema says about keys."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  # its signature
        """Describe the header."""
        return {"type": "http", "scheme": "bearer", "description": "A key from the account page, bh_…"}


class MemberApi(APIView):
    """An address of the API: for members, by key or session, and stored by no cache."""

    policy: ClassVar = MEMBER

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  # DRF's signature
        """Keep answers out of caches."""
        final = super().finalize_response(request, response, *args, **kwargs)
        keep_private(final)
        return final
