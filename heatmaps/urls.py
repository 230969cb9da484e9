"""Addresses of the terminal. Keys are ``venue:symbol``; rows and columns of tiles may be negative."""

from __future__ import annotations

from django.urls import path, register_converter

from heatmaps import exports, screens, views


class Key:
    """``venue:symbol`` in plain letters."""

    regex = r"[A-Za-z0-9_.-]{1,32}:[A-Za-z0-9_.-]{1,64}"

    def to_python(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give it as it is."""
        return value


class Signed:
    """A whole number that fits the database's integer."""

    regex = r"-?[0-9]{1,9}"

    def to_python(self, value: str) -> int:
        """Read the number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write the number."""
        return str(value)


class Release:
    """An estimator with its version, and the revision of the map when it has one."""

    regex = r"[a-z0-9-]{1,60}-[0-9.]{1,16}(?:-r[0-9]{1,9})?"

    def to_python(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give it as it is."""
        return value


class RowId:
    """A primary key that fits the database's big integer."""

    regex = r"[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """Read the number."""
        return int(value)

    def to_url(self, value: int) -> str:
        """Write the number."""
        return str(value)


class Public:
    """``BTC-USDT``, or the key of one instrument."""

    regex = r"(?:[A-Za-z0-9_.-]{1,32}:)?[A-Za-z0-9_.-]{1,64}"

    def to_python(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_url(self, value: str) -> str:
        """Give it as it is."""
        return value


class Ending(Public):
    """A kind of file."""

    regex = r"csv|json"


register_converter(Key, "key")
register_converter(Public, "public")
register_converter(Ending, "ending")
register_converter(Signed, "signed")
register_converter(Release, "release")
register_converter(RowId, "row_id")

app_name = "heatmaps"
urlpatterns = [
    path("scorecard/", views.scorecard_page, name="scorecard"),
    path("screener/", screens.screener_page, name="screener"),
    path("zones/", screens.zones_page, name="zones"),
    path("instruments/", views.instruments, name="instruments"),
    path("t/<key:key>/", views.terminal_page, name="terminal"),
    path("t/<slug:name>/", screens.terminal_by_name, name="terminal-by-name"),
    path("t/<key:key>/chart.json", views.chart_data, name="chart-data"),
    path("t/<key:key>/track.json", screens.track_data, name="track-data"),
    path("t/<key:key>/changes/", views.changes_page, name="changes"),
    path("t/<key:key>/table/", views.twin_page, name="twin"),
    path("t/<key:key>/live/", views.live, name="live"),
    path("t/<key:key>/picture.png", views.picture, name="picture"),
    path("public/<public:symbol>.png", exports.public_picture, name="public-picture"),
    path("embed/<public:symbol>/", exports.embed, name="embed"),
    path("t/<key:key>/export/<slug:what>.<ending:ending>", exports.export_file, name="export"),
    path("t/<key:key>/small.png", screens.small_picture, name="small-picture"),
    path("t/<key:key>/rivals/", views.rivals_page, name="rivals"),
    path("t/<key:key>/rivals.png", views.rivals_picture, name="rivals-picture"),
    path("tick/<key:key>/", views.tick, name="tick"),
    path("tiles/<key:key>/<release:release>/<signed:level>/<signed:row>/<signed:col>.bin", views.tile, name="tile"),
    path("zones/<row_id:pk>/", views.zone_page, name="zone"),
]
