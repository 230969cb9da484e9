"""Calculators about many trades."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from risk.forms.base import CountField, NumberField, PercentField, ToolForm
from risk.formulas import read_number
from risk.pages.outcomes import explain_drawdown, explain_record, explain_ruin

if TYPE_CHECKING:
    from risk.pages.explaining import Explanation

_MOST_RESULTS: Final = 2_000
_LARGEST_RESULT: Final = 1_000


class RecordForm(ToolForm):
    """Expectancy and Kelly's fraction of a record."""

    slug = "expectancy"
    title = "Expectancy and Kelly"
    question = "What has a way of trading yielded for each unit of risk, and how sure is that?"
    results = forms.CharField(
        label="Results in R",
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
        help_text="One for each trade, spaces between them: 1.8 -1 -1 0.4. 5×-1 stands for five losses of 1 R.",
        max_length=20_000,
        error_messages={"required": "Give at least one result.", "max_length": "Give at most 20,000 characters."},
    )
    example: ClassVar = {"results": "18×2 22×-1"}

    def clean_results(self) -> list[Decimal]:
        """Read results, each a number or a count and a number."""
        read: list[Decimal] = []
        for word in self.cleaned_data["results"].replace(";", " ").split():
            read += _result(word)
            if len(read) > _MOST_RESULTS:
                raise ValidationError(f"Give at most {_MOST_RESULTS:,} results.")
        return read

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with the expectancy."""
        return explain_record(results=given["results"])


def _result(word: str) -> list[Decimal]:
    count, mark, text = word.replace("x", "×").partition("×")
    try:
        result = read_number(text if mark else count)
        times = read_number(count) if mark else Decimal(1)
    except ValueError as refusal:
        raise ValidationError(f"“{word[:20]}” is no result. {refusal}") from refusal
    if times != times.to_integral_value() or not 1 <= times <= _MOST_RESULTS or abs(result) > _LARGEST_RESULT:
        raise ValidationError(f"“{word[:20]}” is out of range: results lie within ±{_LARGEST_RESULT:,} R.")
    return [result] * int(times)


class RuinForm(ToolForm):
    """Risk of ruin by simulation."""

    slug = "ruin"
    title = "Risk of ruin"
    question = "How likely is an account to fall by a given share, when each trade risks a fixed share of it?"
    win_rate = PercentField("Win rate, %", least="0.1", most="99.9")
    payoff = NumberField("Win, R", least="0.01", most="1000", help_text="What a win pays for each unit of risk.")
    risk = PercentField("Risk, % of the account", least="0.01", most="99")
    drawdown = PercentField("Fall that counts as ruin, %", least="1", most="99")
    trades = CountField("Trades", least="1", most="1000")
    seed = CountField(
        "Seed", least="0", most="999999", required=False, help_text="The same seed draws the same accounts."
    )
    more: ClassVar = ("seed",)
    example: ClassVar = {"win_rate": "45", "payoff": "2", "risk": "2", "drawdown": "20", "trades": "200", "seed": "1"}

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with the simulated chance."""
        return explain_ruin(
            win_rate=given["win_rate"],
            payoff=given["payoff"],
            risk_share=given["risk"],
            drawdown=given["drawdown"],
            trades=given["trades"],
            seed=1 if given["seed"] is None else given["seed"],
        )


class DrawdownForm(ToolForm):
    """Recovery from a drawdown, and losing streaks."""

    slug = "drawdown"
    title = "Drawdown and streaks"
    question = "What makes up for a drawdown, and how long a losing streak is to be expected by chance alone?"
    drawdown = PercentField("Drawdown, %", least="0.1", most="99.9")
    losing_rate = PercentField("Losing rate, %", least="0.1", most="99.9")
    trades = CountField("Trades", least="1", most="1000")
    example: ClassVar = {"drawdown": "30", "losing_rate": "55", "trades": "100"}

    def explain(self, given: dict[str, Any]) -> Explanation:
        """Answer with the gain needed and the streaks."""
        return explain_drawdown(drawdown=given["drawdown"], losing_rate=given["losing_rate"], trades=given["trades"])
