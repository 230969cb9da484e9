"""A plan in its full shape: what the form takes, what it refuses, what it keeps on the way."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from access.owning import OwnerScopeError
from journal.models import Judgement, Plan, Unfinished
from journal.operations import arm_plan
from journal.operations.judging import read_terms
from journal.verdict import Kind, Rule
from tests.factories import make_user, make_zone
from tests.journal.terms import NOW, TERMS, text
from tests.pages import client_of

if TYPE_CHECKING:
    from django.test import Client

    from access.models import User
    from heatmaps.models import Zone

pytestmark = pytest.mark.django_db
FULL = TERMS | {
    "target": "61000", "share": "50", "target_2": "62000", "share_2": "25", "target_3": "63000",
    "wrong_if": "Open interest falls.", "setups": "Sweep,  range low, sweep",
    "confirm_rule": "sweep_reclaim", "confirm_price": "59000", "confirm_minutes": "15",
    "entry_kind": "confirmed", "max_chase": "0.25", "management": "breakeven", "trigger_source": "mark",
    "time_stop_hours": "24", "equity": "10000", "leverage": "10", "belief_pct": "55", "conviction": "3",
}  # fmt: skip


def test_every_term_is_stored_and_comes_back_into_the_form(client: Client, owner: User, zone: Zone) -> None:
    other = make_zone(heatmap=zone.heatmap, born_at=NOW, number=2)
    sent = FULL | {"more_zones": [str(other.pk)]}
    assert client.post(f"/plans/new/?zone={zone.pk}", sent)["Location"] == "/plans/1/"
    plan = Plan.objects.owned_by(owner.pk).get()
    assert plan.targets == [["61000", "0.5"], ["62000", "0.25"], ["63000", "0.25"]]
    assert plan.confirmation == {"rule": "sweep_reclaim", "candle_s": 900, "price": "59000"}
    assert (plan.setups, plan.more_zones) == (["sweep", "range low"], [other.pk])
    assert (plan.belief_pct, plan.conviction, plan.time_stop_hours) == (55, 3, 24)
    page = client.get("/plans/1/edit/").content.decode()
    for name in ("target_2", "share_2", "confirm_price", "max_chase", "leverage", "setups"):
        value = "sweep, range low" if name == "setups" else FULL[name]
        assert f'name="{name}" value="{value}"' in page
    assert client.post("/plans/1/edit/", sent)["Location"] == "/plans/1/"
    assert Plan.objects.owned_by(owner.pk).get().targets == plan.targets


def test_further_zones_are_told_apart_by_side_and_band(client: Client, zone: Zone) -> None:
    other = make_zone(heatmap=zone.heatmap, born_at=NOW, number=2, position_side=-1)
    low, high = (f"{edge:,.1f}" for edge in (other.price_low, other.price_high))
    page = client.get(f"/plans/new/?zone={zone.pk}").content.decode()
    assert f"Z-2, shorts, {low} to {high}</option>" in page


def test_verdict_goes_by_every_term(client: Client, owner: User, zone: Zone) -> None:
    client.post(f"/plans/new/?zone={zone.pk}", FULL)
    plan = arm_plan(owner_id=owner.pk, number=1, now=NOW)
    terms = read_terms(Judgement.objects.owned_by(owner.pk).get().terms)
    assert (terms.kind, terms.breakeven, terms.time_stop_ms) == (Kind.CONFIRMED, True, 24 * 3_600_000)
    assert [target.weight for target in terms.targets] == [Decimal("0.5"), Decimal("0.25"), Decimal("0.25")]
    assert terms.confirmation is not None
    assert (terms.confirmation.rule, terms.max_chase) == (Rule.SWEEP_RECLAIM, Decimal("0.25"))
    # An entry at the market pays the taker's fee on both sides.
    assert (terms.costs.entry_fee, terms.costs.exit_fee) == (Decimal("0.0005"), Decimal("0.0005"))
    evidence = plan.evidence or {}
    assert evidence["schema"] == "bh-plan-evidence-2"
    assert evidence["risk"]["size"]["quantity"] == "0.074"
    assert evidence["more_zones"] == []


def test_plan_to_observe_has_no_prices_and_is_not_judged(client: Client, owner: User, zone: Zone) -> None:
    assert client.post(f"/plans/new/?zone={zone.pk}", TERMS | {"direction": "observe"})["Location"] == "/plans/1/"
    plan = arm_plan(owner_id=owner.pk, number=1, now=NOW)
    assert (plan.entry, plan.invalidation, plan.targets, plan.risk_pct) == (None, None, [], None)
    assert not Judgement.objects.owned_by(owner.pk).exists()
    assert "Observe" in text(client.get("/plans/1/"))
    assert client.get("/plans/").status_code == 200
    assert client.get("/api/v1/plans/1/").json()["entry"] is None


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"target_2": "60500"}, "target", "Give the targets in the order in which the price would meet them."),
        ({"share": "100"}, "target", "Give each target a share above 0 %; the shares make 100 % together."),
        ({"confirm_price": ""}, "confirm_price", "Give the price that the rule is about."),
        ({"confirm_rule": "volume"}, "confirm_amount", "Give the amount that the rule is about."),
        ({"confirm_rule": ""}, "confirm_rule", "An entry once confirmed needs a rule."),
        ({"confirm_rule": "moon"}, "confirm_rule", "Choose one of the list."),
        ({"management": "trail"}, "trail_atr", "Give the distance at which the stop trails, in hourly ATR."),
        ({"belief_pct": "101"}, "belief_pct", "Give a whole number from 0 to 100."),
        ({"leverage": "0.5"}, "leverage", "Give a number from 1 to 500."),
        ({"max_chase": "6"}, "max_chase", "Give a number from 0 to 5."),
        ({"time_stop_hours": "1.5"}, "time_stop_hours", "Give a whole number from 1 to 2160."),
        ({"setups": ",".join("abcdefghi")}, "setups", "Give at most 8 tags of up to 30 characters each."),
        ({"more_zones": ["7777"]}, "more_zones", "Choose zones of the list."),
        ({"equity": "0"}, "equity", "Give an amount above 0."),
    ],
)
def test_wrong_terms_say_what_to_change(
    changes: dict[str, str], field: str, sentence: str, client: Client, zone: Zone
) -> None:
    for path in (f"/plans/new/?zone={zone.pk}", f"/plans/check/?field={field}&zone={zone.pk}"):
        page = client.post(path, FULL | changes)
        assert page.status_code == 422
        assert f'id="id_{field}_error"><li>{sentence}' in page.content.decode()


def test_figures_tell_costs_size_and_liquidation(client: Client, zone: Zone) -> None:
    answer = text(client.post(f"/plans/figures/?zone={zone.pk}", FULL))
    for words in ("Reward : risk, net", "Required win-rate", "Size 0.074", "Estimated liquidation price"):
        assert words in answer
    high = text(client.post(f"/plans/figures/?zone={zone.pk}", FULL | {"leverage": "80"}))
    assert "The position would be liquidated before the invalidation." in high
    unfinished = client.post(f"/plans/figures/?zone={zone.pk}", {"entry": "x"})
    assert "Direction, entry, invalidation and target tell" in text(unfinished)


def test_form_is_kept_on_the_way_and_goes_on(client: Client, owner: User, zone: Zone) -> None:
    kept = client.post(f"/plans/keep/?zone={zone.pk}", {"thesis": "Half a sent", "entry": "not yet"})
    assert "Kept" in text(kept)
    page = client.get(f"/plans/new/?zone={zone.pk}").content.decode()
    assert "Half a sent" in page
    assert 'value="not yet"' in page
    assert "This form was left unfinished" in page
    outsider = client_of(make_user(email="outsider@example.com"))
    assert "Half a sent" not in outsider.get(f"/plans/new/?zone={zone.pk}").content.decode()
    client.post(f"/plans/forget/?zone={zone.pk}")
    assert "Half a sent" not in client.get(f"/plans/new/?zone={zone.pk}").content.decode()
    client.post(f"/plans/keep/?zone={zone.pk}", {"thesis": "Again"})
    client.post(f"/plans/new/?zone={zone.pk}", TERMS)
    assert not Unfinished.objects.owned_by(owner.pk).exists()


def test_form_that_is_too_long_is_not_kept(client: Client, owner: User, zone: Zone) -> None:
    assert "Too long" in text(client.post(f"/plans/keep/?zone={zone.pk}", {"thesis": "x" * 20_001}))
    assert not Unfinished.objects.owned_by(owner.pk).exists()


def test_unfinished_forms_can_not_be_asked_for_without_an_owner() -> None:
    with pytest.raises(OwnerScopeError):
        Unfinished.objects.all()


def test_form_shows_the_context_as_it_is_now(client: Client, zone: Zone) -> None:
    page = text(client.get(f"/plans/new/?zone={zone.pk}"))
    for words in ("Context", "Scenario", "Confirmation", "Execution", "Risk", "Belief", "Regime"):
        assert words in page
    assert page.index("Context") < page.index("Execution") < page.index("Belief")


def test_form_starts_with_what_comes_along(client: Client, zone: Zone) -> None:
    asked = {"zone": str(zone.pk), "direction": "short", "target": "57000", "equity": "5000", "leverage": "3"}
    page = client.get("/plans/new/", asked).content.decode()
    for name in ("target", "equity", "leverage"):
        assert f'name="{name}" value="{asked[name]}"' in page


def test_zones_of_another_map_are_refused(client: Client, zone: Zone) -> None:
    assert client.post(f"/plans/new/?zone={zone.pk}", FULL | {"more_zones": [str(zone.pk)]}).status_code == 422
