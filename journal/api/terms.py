"""The terms of a plan, as they are sent and as they are told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from journal import operations, queries
from journal.api.base import Strict
from journal.models import Plan
from journal.verdict import Confirmation, Rule, to_data

_SMALLEST: Final = Decimal("1e-8")
_KEY: Final[dict[str, Any]] = {"min_value": 1, "max_value": 2**63 - 1}
_CANDLES_S: Final = (60, 300, 900, 3600, 14_400)
_TRADED: Final = ("entry", "invalidation", "targets", "risk_pct", "max_chase", "trail_atr", "time_stop_hours")


def price_field(**more: Any) -> serializers.DecimalField:  # noqa: ANN401  # DRF's own arguments
    """A price or an amount above 0; null where there is none."""
    return serializers.DecimalField(
        max_digits=20, decimal_places=8, min_value=_SMALLEST, required=False, allow_null=True, **more
    )


def bounded_field(digits: int, least: str, most: str, **more: Any) -> serializers.DecimalField:  # noqa: ANN401  # DRF's own arguments
    """A number with two decimals between bounds; null where there is none."""
    return serializers.DecimalField(
        max_digits=digits, decimal_places=2, min_value=Decimal(least), max_value=Decimal(most), required=False,
        allow_null=True, **more,
    )  # fmt: skip


class RuleSerializer(Strict):
    """A rule of confirmation."""

    rule = serializers.ChoiceField(choices=[one.value for one in Rule])
    candle_s = serializers.ChoiceField(choices=_CANDLES_S, default=300)
    price = price_field()
    amount = bounded_field(5, "-100", "100")


@extend_schema_field(OpenApiTypes.OBJECT)
class ConfirmationField(serializers.Field[Any, Any, Any, Any]):
    """A rule as data; an empty object is none."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:  # noqa: ANN401  # what was sent
        """Read the rule and spell it as rows keep it."""
        if data == {}:
            return {}
        read = RuleSerializer(data=data)
        if not read.is_valid():
            raise ValidationError(["This is no rule of confirmation.", *_sentences(read.errors)])
        given = read.validated_data
        rule = Rule(given["rule"])
        try:
            made = Confirmation(
                rule,
                given["candle_s"] * 1000,
                given.get("price") if rule.needs_price else None,
                given.get("amount") if rule.needs_amount else None,
            )
        except ValueError as refusal:
            raise ValidationError(str(refusal)) from refusal
        return to_data(made)

    def to_representation(self, value: Any) -> Any:  # noqa: ANN401  # as it is
        """Tell it as it is kept."""
        return value


def _sentences(errors: Any) -> list[str]:  # noqa: ANN401  # DRF's own
    return [f"{name}: {sentence}" for name, told in errors.items() for sentence in told]


class TermsSerializer(Strict):
    """The terms of a plan, all of them; what is left out is as in an empty form."""

    direction = serializers.ChoiceField(choices=Plan.Direction.choices)
    thesis = serializers.CharField(max_length=4000)
    wrong_if = serializers.CharField(max_length=2000, required=False, allow_blank=True)
    setups = serializers.ListField(child=serializers.CharField(max_length=300), required=False, max_length=50)
    more_zones = serializers.ListField(
        child=serializers.IntegerField(**_KEY), required=False, max_length=50, help_text="further zones of the same map"
    )
    confirmation = ConfirmationField(required=False, help_text="the rule as data; empty for none")
    entry_kind = serializers.ChoiceField(choices=Plan.EntryKind.choices, required=False)
    entry = price_field()
    max_chase = bounded_field(3, "0", "5", help_text="R")
    invalidation = price_field()
    targets = serializers.ListField(
        child=serializers.ListField(
            child=serializers.DecimalField(max_digits=20, decimal_places=8, min_value=_SMALLEST),
            min_length=2,
            max_length=2,
        ),
        required=False,
        max_length=50,
        help_text="price and weight, weights make 1",
    )
    management = serializers.ChoiceField(choices=Plan.Management.choices, required=False)
    trail_atr = bounded_field(4, "0.1", "50", help_text="hourly ATR")
    trigger_source = serializers.ChoiceField(choices=Plan.TriggerSource.choices, required=False)
    expires_at = serializers.DateTimeField()
    time_stop_hours = serializers.IntegerField(
        min_value=1, max_value=2160, required=False, allow_null=True, help_text="after the entry"
    )
    risk_pct = bounded_field(5, "0.01", "100")
    equity = price_field()
    leverage = bounded_field(5, "1", "500")
    belief_pct = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    conviction = serializers.IntegerField(min_value=1, max_value=5, required=False, allow_null=True)

    def validate_setups(self, words: list[str]) -> list[str]:
        """Read tags as the form does."""
        try:
            return operations.tidy_words(words)
        except ValueError as refusal:
            raise ValidationError(str(refusal)) from refusal

    def validate_targets(self, rows: list[list[Decimal]]) -> list[list[str]]:
        """Spell targets as rows keep them."""
        return operations.spell_targets([(price, weight) for price, weight in rows])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse prices and risk of a plan to observe."""
        if attrs["direction"] == Plan.Direction.OBSERVE and (given := [name for name in _TRADED if attrs.get(name)]):
            raise ValidationError({name: ["A plan to observe has no prices and no risk."] for name in given})
        return attrs

    def terms(self) -> operations.Terms:
        """Return what was sent."""
        return operations.Terms(**{k: v for k, v in self.validated_data.items() if k in operations.NAMES})


class DraftSerializer(TermsSerializer):
    """A new plan: its zone and its terms."""

    zone = serializers.IntegerField(**_KEY, help_text="from which it starts")


class VerdictSerializer(serializers.Serializer[Any]):
    """Where the verdict on an armed plan stands."""

    phase = serializers.CharField(help_text="of its worst course")
    is_done = serializers.BooleanField()
    result_low = serializers.DecimalField(20, 8, allow_null=True, help_text="of its worst course [R]; null: not ended")
    result_high = serializers.DecimalField(20, 8, allow_null=True, help_text="of its best course [R]; null: not ended")
    through_at = serializers.DateTimeField(allow_null=True, help_text="end of the last bar that was read")


class PlanSerializer(serializers.Serializer[Any]):
    """A plan's terms as the trader wrote them; prices are decimal strings."""

    number = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    instrument = serializers.CharField(source="zone.heatmap.instrument.key", help_text="venue:symbol")
    venue = serializers.CharField(source="zone.heatmap.instrument.venue")
    is_simulated = serializers.BooleanField(source="zone.heatmap.instrument.is_simulated")
    zone = serializers.IntegerField(source="zone_id")
    direction = serializers.ChoiceField(choices=Plan.Direction.choices)
    more_zones = serializers.ListField(child=serializers.IntegerField(), help_text="further zones that it rests on")
    thesis = serializers.CharField()
    wrong_if = serializers.CharField()
    setups = serializers.ListField(child=serializers.CharField())
    confirmation = serializers.JSONField(help_text="the rule as data; empty for none")
    entry_kind = serializers.ChoiceField(choices=Plan.EntryKind.choices)
    entry = serializers.DecimalField(max_digits=20, decimal_places=8, allow_null=True, help_text="null: observed only")
    max_chase = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True, help_text="R")
    invalidation = serializers.DecimalField(max_digits=20, decimal_places=8, allow_null=True)
    targets = serializers.ListField(
        child=serializers.ListField(child=serializers.CharField()), help_text="price and weight, weights make 1"
    )
    management = serializers.ChoiceField(choices=Plan.Management.choices)
    trail_atr = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    trigger_source = serializers.ChoiceField(choices=Plan.TriggerSource.choices)
    expires_at = serializers.DateTimeField()
    time_stop_hours = serializers.IntegerField(allow_null=True, help_text="after the entry")
    risk_pct = serializers.DecimalField(max_digits=5, decimal_places=2, allow_null=True)
    equity = serializers.DecimalField(max_digits=20, decimal_places=8, allow_null=True)
    leverage = serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True)
    belief_pct = serializers.IntegerField(allow_null=True)
    conviction = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    armed_at = serializers.DateTimeField(allow_null=True, help_text="by the server's clock; null for a draft")
    evidence_sha256 = serializers.SerializerMethodField(help_text="proves content, not time; null for a draft")
    is_intact = serializers.SerializerMethodField(
        help_text="whether the record matches its hash, computed anew; null for a draft"
    )

    def get_is_intact(self, plan: Plan) -> bool | None:
        """Compute the hash again and compare the plan with its evidence."""
        return None if plan.armed_at is None else queries.is_intact(plan=plan)

    def get_evidence_sha256(self, plan: Plan) -> str | None:
        """Return the hash, or null where there is none."""
        return plan.evidence_sha256 or None


class PlanDetailSerializer(PlanSerializer):
    evidence = serializers.JSONField(
        allow_null=True, help_text="frozen at arming; the hash is over its canonical JSON (RFC 8785)"
    )
    verdict = serializers.SerializerMethodField(help_text="null for a draft, and for a plan to observe")

    @extend_schema_field(VerdictSerializer(allow_null=True))
    def get_verdict(self, plan: Plan) -> Any:  # noqa: ANN401  # JSON
        """Return where its verdict stands."""
        judged = queries.judgements_of(owner_id=plan.owner_id, plan_ids=[plan.pk]).get(plan.pk)
        return None if judged is None else VerdictSerializer(judged).data


class PlanPageSerializer(serializers.Serializer[Any]):
    next = serializers.IntegerField(allow_null=True, help_text="pass as `before` for the next page; null at the end")
    results = PlanSerializer(many=True)
