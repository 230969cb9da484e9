"""The policy of the API. It stands apart because DRF's views load the authentication beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from access.models import ApiKey
from access.permissions import MEMBER, PUBLIC, ApiKeyAuthentication, keep_private
from access.permissions.throttles import StrangerThrottle

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


PLANS: Final = ApiKey.Scope.PLANS


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the package has no types here
    """What the schema says about keys."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:  # noqa: ARG002  # its signature
        """Describe the header."""
        return {"type": "http", "scheme": "bearer", "description": "A key from the account page, bh_…"}


class CountedApi(APIView):
    """An address of the API at which also those are counted who are not let in."""

    scope: ClassVar[str] = ApiKey.Scope.DATA

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # DRF's signature
        """Let in or refuse. DRF counts only whom it lets in, which leaves wrong keys without a limit.

        Right keys are not kept waiting by a neighbour's wrong ones: they are looked up first, for one row read.
        """
        try:
            super().initial(request, *args, **kwargs)
            self._require_scope(request)
        except (AuthenticationFailed, NotAuthenticated):
            StrangerThrottle().require(request, self)
            raise

    def _require_scope(self, request: Request) -> None:
        """Hold a key to what it was made for; a session may read all that its owner may."""
        if isinstance(request.auth, ApiKey) and self.scope not in request.auth.scopes:
            raise PermissionDenied(f"This key was not made for “{self.scope}”. Create one on the account page.")


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
