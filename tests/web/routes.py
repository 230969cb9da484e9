"""Every address, and what is got there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.web.early_routes import EARLY

if TYPE_CHECKING:
    from access.models import User

KEY = {"key": "binance:BTCUSDT"}


@dataclass(frozen=True)
class Route:
    """What a logged-in owner gets for a GET and a POST; of a ``private`` row a stranger gets 404.

    Of a page for staff it is what staff get.
    """

    get: int
    post: int = 405
    kwargs: dict[str, Any] = field(default_factory=dict)
    is_private: bool = False
    # What a stranger gets of a public page that looks different to them: for a GET and a POST.
    away: tuple[int, int] | None = None

    def seen_by_stranger(self, method: str) -> int:
        """Return what somebody gets who is not logged in, where the page is public."""
        return int(getattr(self, method)) if self.away is None else self.away[method == "post"]

    def seen_by(self, user: User, method: str, policy: str) -> int:
        """Return what somebody other than the owner gets."""
        expected = int(getattr(self, method))
        if policy in {"staff", "operator"}:
            return expected if user.is_staff else 404
        return expected if expected in {405, 415} or not self.is_private else 404


NUMBER = {"number": 1}
ROUTES = {
    "landing": Route(200),
    "healthz": Route(200),
    "metrics": Route(200),
    "method": Route(200),
    "glossary": Route(200),
    "account_login": Route(302, 302, away=(200, 422)),
    "mfa_authenticate": Route(302, 302),
    "mfa_login_webauthn": Route(302, 302),
    "account_logout": Route(405, 302),
    "account_signup": Route(302, 302, away=(200, 200)),
    "account_inactive": Route(200),
    "account_email_verification_sent": Route(200),
    "account_confirm_email": Route(200, 404, {"key": "nonsense"}),
    "account_reset_password": Route(200, 422),
    "account_reset_password_done": Route(200),
    "account_reset_password_from_key_done": Route(200),
    "account_reset_password_from_key": Route(200, 422, {"uidb36": "1", "key": "nonsense"}),
    # Whoever has neither password nor second factor has nothing to be asked for.
    "account_reauthenticate": Route(403, 403),
    "account_email": Route(200, 302),
    "account_change_password": Route(302, 302),
    "account_set_password": Route(200, 422),
    "usersessions_list": Route(200, 302),
    "mfa_index": Route(200),
    "mfa_reauthenticate": Route(403, 403),
    "mfa_activate_totp": Route(200, 422),
    "mfa_deactivate_totp": Route(404, 404),
    "mfa_view_recovery_codes": Route(404),
    "mfa_generate_recovery_codes": Route(200, 422),
    "mfa_download_recovery_codes": Route(404, 404),
    "mfa_list_webauthn": Route(200),
    "mfa_add_webauthn": Route(200, 422),
    "mfa_reauthenticate_webauthn": Route(403, 403),
    "mfa_edit_webauthn": Route(404, 404, {"pk": 0}),
    "mfa_remove_webauthn": Route(404, 404, {"pk": 0}),
    "access:enter": Route(200, 410, {"token": "nonsense"}),
    "access:account": Route(200, 422),
    "access:preferences": Route(200, 302),
    "access:export": Route(200),
    "access:erase": Route(200, 422),
    "access:key-revoke": Route(405, 302, {"key_id": 1}, is_private=True),
    "access:outbox": Route(200),
    "access:outbox-mail": Route(404, kwargs={"pk": 1}),
    "access:outbox-html": Route(404, kwargs={"pk": 1}),
    "access:notices": Route(200, 302),
    "access:notice": Route(404, kwargs={"slug": "none"}),
    "access:unsubscribe": Route(410, 410, {"token": "nonsense"}),
    **{name: Route(*given) for name, given in EARLY.items()},
    "heatmaps:scorecard": Route(200),
    "heatmaps:instruments": Route(200),
    "heatmaps:screener": Route(200),
    "heatmaps:zones": Route(200),
    "heatmaps:public-picture": Route(404, kwargs={"symbol": "BTC-USDT"}),
    "heatmaps:embed": Route(404, kwargs={"symbol": "BTC-USDT"}),
    "heatmaps:export": Route(200, kwargs=KEY | {"what": "zones", "ending": "csv"}),
    "heatmaps:small-picture": Route(404, kwargs=KEY),
    "heatmaps:terminal": Route(200, kwargs=KEY),
    "heatmaps:terminal-by-name": Route(302, kwargs={"name": "btcusdt"}),
    "heatmaps:chart-data": Route(200, kwargs=KEY),
    "heatmaps:track-data": Route(200, kwargs=KEY),
    "heatmaps:live": Route(200, kwargs=KEY),
    "heatmaps:changes": Route(200, kwargs=KEY),
    "heatmaps:twin": Route(200, kwargs=KEY),
    "heatmaps:picture": Route(404, kwargs=KEY),
    "heatmaps:rivals": Route(200, kwargs=KEY),
    "heatmaps:rivals-picture": Route(404, kwargs=KEY),
    "heatmaps:tick": Route(200, kwargs=KEY),
    "heatmaps:tile": Route(404, kwargs=KEY | {"release": "open-interest-2", "level": 0, "row": 0, "col": -1}),
    "heatmaps:zone": Route(200, kwargs={"pk": 1}),
    "alerts:alerts": Route(200, 422),
    "alerts:preferences": Route(405, 422),
    "alerts:read": Route(405, 400),
    "alerts:watch": Route(405, 404),
    "alerts:unread": Route(200),
    "alerts:drop": Route(405, 302, {"rule_id": 1}, is_private=True),
    **{f"journal:{part}": Route(200) for part in ("plans", "export", "export-tables")},
    "journal:moved-journals": Route(200, 422),
    "journal:moved": Route(404, kwargs={"pk": 1}),
    "journal:moved-take-in": Route(405, 404, {"pk": 1}),
    "journal:plan-new": Route(404, 404),
    **{f"journal:plan-{part}": Route(405, 404) for part in ("check", "figures", "keep", "forget")},
    "journal:plan": Route(200, kwargs=NUMBER, is_private=True),
    "journal:plan-edit": Route(200, 422, kwargs=NUMBER, is_private=True),
    **{f"journal:plan-{part}": Route(405, 302, kwargs=NUMBER, is_private=True) for part in ("undo", "arm")},
    "journal:plan-amend": Route(405, 422, kwargs=NUMBER, is_private=True),
    "journal:plan-evidence": Route(404, kwargs=NUMBER, is_private=True),
    "journal:plan-review": Route(200, 422, kwargs=NUMBER, is_private=True),
    **{f"journal:{name}": Route(200) for name in ("trades", "review", "course", "calendar")},
    **{f"journal:{name}": Route(200, 422) for name in ("trade-files", "fill-new", "week")},
    "journal:fill-drop": Route(405, 404, {"pk": 1}),
    "journal:trade": Route(404, kwargs={"pk": 1}),
    "journal:trade-file": Route(404, 404, {"pk": 1}),
    **{f"journal:trade-{part}": Route(405, 404, {"pk": 1}) for part in ("file-take-in", "plan", "review")},
    "journal:review-remark": Route(405, 422, {"pk": 1}),
    **{f"market:{name}": Route(200) for name in ("data", "venues", "quarantine")},
    "market:decide": Route(400, 400),
    "risk:tools": Route(200),
    "risk:tool": Route(200, kwargs={"slug": "size"}),
    "api-tool": Route(400, kwargs={"slug": "size"}),
    "api-instruments": Route(200),
    "api-instrument": Route(200, kwargs=KEY),
    "api-bars": Route(200, kwargs=KEY),
    **{
        f"api-{name}": Route(200, kwargs=KEY)
        for name in ("open-interest", "funding", "liquidations", "depth", "account-ratio", "coverage", "brackets")
    },
    "api-heatmap": Route(200, kwargs=KEY),
    "api-zones": Route(200, kwargs=KEY),
    "api-layers": Route(200, kwargs=KEY),
    "api-reach": Route(200, kwargs=KEY),
    "api-tile": Route(404, kwargs=KEY | {"level": 0, "row": 0, "col": 0}),
    "api-zone": Route(200, kwargs={"zone_id": 1}),
    **{f"api-{name}": Route(200) for name in ("alerts", "notices", "screener")},
    **{f"api-scorecard{part}": Route(200) for part in ("", "-runs", "-misses")},
    "api-zone-events": Route(200, kwargs={"zone_id": 1}),
    "api-plan": Route(200, kwargs=NUMBER, is_private=True),
    **{f"api-plan-{part}": Route(405, 200, kwargs=NUMBER, is_private=True) for part in ("arm", "undo")},
    # A form is refused before anything is looked up.
    "api-plan-entries": Route(200, 415, kwargs=NUMBER, is_private=True),
    "api-plan-events": Route(200, kwargs=NUMBER, is_private=True),
    "api-plan-event": Route(404, kwargs=NUMBER | {"event": 1}, is_private=True),
    "api-fill": Route(404, kwargs={"fill_id": 1}),
    "api-trade": Route(404, kwargs={"trade_id": 1}),
    "api-review": Route(404, kwargs={"review_id": 1}),
    "api-review-remarks": Route(405, 415, kwargs={"review_id": 1}),
    "api-trades": Route(200),
    "api-results": Route(200),
    **{f"api-{name}": Route(200, 415) for name in ("plans", "fills", "reviews")},
    "schema": Route(200),
    "api-docs": Route(200),
}
