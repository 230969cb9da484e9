"""What alerts keep of a person."""

from access.registry import declare

declare("alert-rules", model="alerts.Rule", owner="owner")
declare("alert-notices", model="alerts.Notice", owner="owner")
declare("alert-preferences", model="alerts.Preferences", owner="owner")
declare("watch-list", model="alerts.Watched", owner="owner")
