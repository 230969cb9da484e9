"""What is told, when, and only once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.owning import OwnerScopeError
from alerts.models import Notice, Preferences, Rule, Watched
from alerts.operations import TooManyRulesError, Wish, add_rule, look
from alerts.queries import MOST_RULES, watch_due, watched_instruments
from alerts.terms import SLACK, begun
from heatmaps.models import Standing, Zone
from heatmaps.operations import learn_reach
from heatmaps.queries import reachability
from tests.factories import make_heatmap, make_instrument, make_user, make_zone
from tests.heatmaps.touched import TODAY, past, put_bars
from tests.web.screened import add_bar

if TYPE_CHECKING:
    from access.models import User
    from market.models import Instrument

pytestmark = pytest.mark.django_db
MINUTE = dt.timedelta(minutes=1)


def ask(owner: User, instrument: Instrument, kind: str, threshold: str = "", horizon: str = "") -> Rule:
    wish = Wish(instrument.pk, kind, Decimal(threshold or 0), horizon)
    return add_rule(owner_id=owner.pk, wish=wish, by_mail=False)


def told(owner: User) -> list[str]:
    return [str(one) for one in Notice.objects.owned_by(owner.pk).order_by("pk")]


def test_price_near_a_zone_is_told_once_with_the_interval(
    owner: User, instrument: Instrument, zone: Zone, now: dt.datetime
) -> None:
    ask(owner, instrument, "near", "1.3")
    assert look(instrument_id=instrument.pk, now=now) == 0
    Zone.objects.filter(pk=zone.pk).update(price_high=59_300.0)
    assert look(instrument_id=instrument.pk, now=now + MINUTE) == 1
    zone_text = "Z-1, longs at 59,000 to 59,300, estimate $4.20M (80% interval $2.10M to $8.40M)"
    assert told(owner) == [f"BTC-USDT at Binance: price is 1.17% from {zone_text}."]
    assert look(instrument_id=instrument.pk, now=now + MINUTE) == 0
    later = [look(instrument_id=instrument.pk, now=now + minutes * MINUTE / 4) for minutes in (5, 5)]
    assert later == [0, 0]
    (notice,) = Notice.objects.owned_by(owner.pk)
    assert (notice.zone_id, notice.at, notice.read_at, notice.by_mail) == (zone.pk, now + MINUTE, None, False)


def test_it_is_told_again_only_after_it_had_clearly_ceased(
    owner: User, instrument: Instrument, zone: Zone, now: dt.datetime
) -> None:
    ask(owner, instrument, "near", "1")
    counts = []
    for seconds, away in enumerate((0.9, 1.1, 0.9, 1.3, 0.9)):
        high = 60_000 * (1 - away / 100)
        Zone.objects.filter(pk=zone.pk).update(price_low=high - 100, price_high=high)
        counts.append(look(instrument_id=instrument.pk, now=now + dt.timedelta(seconds=seconds)))
    assert counts == [1, 0, 0, 0, 1]


def test_without_current_data_nothing_but_its_lack_is_told(
    owner: User, instrument: Instrument, now: dt.datetime
) -> None:
    for kind, threshold in (("near", "5"), ("swept", ""), ("crowding", "")):
        ask(owner, instrument, kind, threshold)
    ask(owner, instrument, "stale")
    late = now + dt.timedelta(minutes=3)
    assert look(instrument_id=instrument.pk, now=late) == 0
    assert look(instrument_id=instrument.pk, now=now + MINUTE, for_outages=True) == 0
    assert look(instrument_id=instrument.pk, now=late, for_outages=True) == 1
    assert look(instrument_id=instrument.pk, now=late + MINUTE, for_outages=True) == 0
    assert told(owner) == ["BTC-USDT at Binance: data is stale, the newest bar ended 15 Jan 12:00 UTC."]


def test_a_swept_zone_is_told(owner: User, instrument: Instrument, zone: Zone, now: dt.datetime) -> None:
    ask(owner, instrument, "swept")
    assert look(instrument_id=instrument.pk, now=now) == 0
    gone = make_zone(heatmap=zone.heatmap, born_at=now, number=2)
    Zone.objects.filter(pk=gone.pk).update(state="expired", ended_at=now)
    Zone.objects.filter(pk=zone.pk).update(state="swept", cause="through", ended_at=now)
    assert [look(instrument_id=instrument.pk, now=now + minutes * MINUTE / 4) for minutes in (1, 2)] == [1, 0]
    assert told(owner)[0].startswith("BTC-USDT at Binance: price swept Z-1, longs at 59,000 to 59,200, last estimate")


def test_a_change_of_crowding_is_told_from_name_to_name(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    ask(owner, instrument, "crowding")
    counts = []
    for seconds, name in enumerate(("ordinary", "", "ordinary", "", "quiet and thin", "quiet and thin")):
        Standing.objects.update(crowding=name, crowding_reason="" if name else "not reported")
        counts.append(look(instrument_id=instrument.pk, now=now + dt.timedelta(seconds=seconds)))
    assert counts == [0, 0, 0, 0, 1, 0]
    (said,) = told(owner)
    assert said == (
        "BTC-USDT at Binance: crowding went from “ordinary” to “quiet and thin”. "
        "It names percentiles; it is no forecast."
    )


def test_the_chance_that_is_told_is_the_one_that_is_stated(owner: User) -> None:
    instrument = make_instrument(is_live=True)
    put_bars(instrument, past(), until=TODAY)
    learn_reach(instrument_id=instrument.pk, now=TODAY)
    found = reachability(instrument_id=instrument.pk, at=TODAY)
    assert found.price is not None
    zone = make_zone(heatmap=make_heatmap(instrument=instrument, built_through=TODAY), born_at=TODAY)
    high = found.price * 0.99
    Zone.objects.filter(pk=zone.pk).update(price_low=high - 50, price_high=high, price_peak=high - 25)
    chance = 100 * found.chances([high])["24h"][0]
    for threshold in (chance - 2, chance + 2):
        ask(owner, instrument, "chance", f"{threshold:.2f}", "24h")
    assert look(instrument_id=instrument.pk, now=TODAY + dt.timedelta(seconds=30)) == 1
    assert f"chance of a touch within 24 h is {round(chance)}%, by volatility alone, of Z-1, longs" in told(owner)[0]


def test_everybody_is_told_their_own(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    other = make_user(email="other@example.com")
    ask(owner, instrument, "near", "2")
    ask(other, instrument, "near", "1")
    look(instrument_id=instrument.pk, now=now)
    assert (len(told(owner)), len(told(other))) == (1, 0)


def test_a_rule_is_kept_once_and_only_so_many(owner: User, instrument: Instrument) -> None:
    first = ask(owner, instrument, "swept")
    again = add_rule(owner_id=owner.pk, wish=Wish(instrument.pk, "swept", Decimal(0), ""), by_mail=True)
    assert (again.pk, again.by_mail) == (first.pk, True)
    for number in range(1, MOST_RULES):
        ask(owner, instrument, "near", f"{number / 10}")
    with pytest.raises(TooManyRulesError):
        ask(owner, instrument, "stale")


def test_what_is_watched(owner: User, instrument: Instrument, now: dt.datetime) -> None:
    assert (watch_due(instrument_ids=[instrument.pk], now=now), watched_instruments()) == (set(), [])
    others = [make_instrument(symbol=symbol, is_live=True) for symbol in ("ETHUSDT", "SOLUSDT")]
    for one in (instrument, *others):
        add_bar(one, now)
        ask(owner, one, "near", "1")
    ask(owner, others[1], "stale")
    assert watch_due(instrument_ids=[instrument.pk], now=now)
    # Those with an outage to tell of, and one for the e-mails.
    assert watched_instruments() == [instrument.pk, others[1].pk]


@pytest.mark.parametrize("model", [Rule, Notice, Preferences, Watched])
def test_private_rows_begin_with_their_owner(model: type[Rule | Notice | Preferences | Watched]) -> None:
    with pytest.raises(OwnerScopeError):
        model.objects.all()
    with pytest.raises(OwnerScopeError):
        model.objects.count()


@given(st.lists(st.floats(0, 100), max_size=30), st.floats(1, 99), st.booleans())
def test_nothing_is_told_twice_without_having_ceased(path: list[float], threshold: float, is_upward: bool) -> None:
    held: list[str] = []
    spoke_at: float | None = None
    ceased = True
    for value in path:
        now = begun(values={"a": value}, threshold=threshold, is_upward=is_upward, before=held)
        if now and not held:
            assert ceased or spoke_at is None
            spoke_at, ceased = value, False
        if not now:
            eased = threshold * (1 - SLACK if is_upward else 1 + SLACK)
            ceased = ceased or (value < eased if is_upward else value > eased)
        held = now
