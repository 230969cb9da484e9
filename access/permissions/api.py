"""The policy of the API. It stands apart because DRF's views load the authentication beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from access.permissions import MEMBER, PUBLIC, ApiKeyAuthentication, keep_private
from access.permissions.throttles import StrangerThrottle

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


class CountedApi(APIView):
    """An address of the API at which also those are counted who are not let in."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # DRF's signature
        """Let in or refuse. DRF counts only whom it lets in, which leaves wrong keys without a limit.

        Right keys are not kept waiting by a neighbour's wrong ones: they are looked up first, for one row read.
        """
        try:
            super().initial(request, *args, **kwargs)
        except (AuthenticationFailed, NotAuthenticated):
            StrangerThrottle().require(request, self)
            raise


class PublicApi(CountedApi):
    """An address of the API for everyone; strangers are counted by address."""

    policy: ClassVar = PUBLIC
    permission_classes = (AllowAny,)


class MemberApi(CountedApi):
    """An address of the API: for members, by key or session, and stored by no cache."""

    policy: ClassVar = MEMBER

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  # DRF's signature
        """Keep answers out of caches."""
        final = super().finalize_response(request, response, *args, **kwargs)
        keep_private(final)
        return final
