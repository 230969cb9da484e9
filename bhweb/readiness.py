"""Visit the running site as its operator would: the one-time link, the instruments, the terminal."""

from __future__ import annotations

import html
import http.client
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request

from bhweb.progress import elapsed

SHOWN_INSTRUMENT = "simulated:SIMBTC-USDT"
DRAWN = 'data-heatmap="ready"'
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
ANSWER_SECONDS = 10
# The server's clock against our stopwatch: the two clocks need not agree.
GIVEN_UP = """SELECT job.stage, job.error FROM bhweb_job AS job
JOIN market_instrument AS one ON one.id = job.instrument_id
WHERE job.state = 'dead' AND one.venue = %s AND one.symbol = %s
    AND job.finished_at > clock_timestamp() - make_interval(secs => %s)
ORDER BY job.finished_at DESC LIMIT 1"""


class Visitor:
    """A browser of few words, with a cookie jar and no proxy."""

    def __init__(self, site: str) -> None:
        """Visit the site at an address without a trailing slash."""
        self.site = site
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def get(self, path: str) -> tuple[int, str]:
        """Return the status and the text of a page; status 0 when nothing answers."""
        return self._open(urllib.request.Request(self.site + path))  # noqa: S310 # the address is our own

    def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        """Send a form."""
        body = urllib.parse.urlencode(form).encode()
        headers = {"Referer": self.site + path}
        return self._open(urllib.request.Request(self.site + path, data=body, headers=headers))  # noqa: S310 # as above

    def log_in(self, link: str) -> bool:
        """Use the one-time login link and tell whether a page for members opens."""
        status, page = self.get(link)
        token = TOKEN.search(page)
        if status != http.client.OK or not token:
            return False
        self.post(link, {"csrfmiddlewaretoken": html.unescape(token[1])})
        return self.sees_instruments()

    def sees_instruments(self) -> bool:
        """Tell whether the instruments' page opens."""
        return self.get("/instruments/")[0] == http.client.OK

    def sees_heatmap(self) -> bool:
        """Tell whether the terminal shows a heatmap."""
        status, page = self.get(f"/t/{SHOWN_INSTRUMENT}/")
        return status == http.client.OK and DRAWN in page

    def is_healthy(self) -> bool:
        """Tell whether the site says that it is well."""
        return self.get("/healthz")[0] == http.client.OK

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
                # Whoever is not logged in is led to the login page, which answers well.
                is_elsewhere = request.get_method() == "GET" and answer.url != request.full_url
                return http.client.FOUND if is_elsewhere else answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, ""
        except (OSError, http.client.HTTPException):
            return 0, ""


def given_up_job(database_url: str) -> str | None:
    """Return what job of the shown instrument was given up since this command began, and why: waiting is in vain."""
    import psycopg  # noqa: PLC0415 # not there while .venv is being built

    venue, _, symbol = SHOWN_INSTRUMENT.partition(":")
    with psycopg.connect(database_url, connect_timeout=ANSWER_SECONDS) as connection:
        row = connection.execute(GIVEN_UP, (venue, symbol, elapsed())).fetchone()
    if row is None:
        return None
    stage, error = row
    return f"the job {stage!r} was given up: {(error.splitlines() or ['no reason was left'])[-1]}"
