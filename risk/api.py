"""The API of the calculators: the same questions and answers as the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response

from access.permissions.api import MemberApi
from risk.forms import TOOLS

if TYPE_CHECKING:
    from rest_framework.request import Request


class FigureSerializer(serializers.Serializer[Any]):
    """One result."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF collects declared fields elsewhere
    value = serializers.CharField(
        allow_null=True, help_text="exact decimal; fractions, not percent; null: there is none"
    )
    text = serializers.CharField(help_text="rounded, with its unit")
    note = serializers.CharField()


class StepSerializer(serializers.Serializer[Any]):
    """One line of the working."""

    formula = serializers.CharField()
    worked = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer with its working."""

    tool = serializers.CharField()
    figures = FigureSerializer(many=True)
    steps = StepSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())
    assumptions = serializers.ListField(child=serializers.CharField())


def _parameters() -> list[OpenApiParameter]:
    """Every field of every calculator, with the calculators that take it."""
    taken: dict[str, list[str]] = {}
    for slug, form in TOOLS.items():
        for name in form.base_fields:
            taken.setdefault(name, []).append(slug)
    return [OpenApiParameter(name, str, description=f"of {', '.join(slugs)}") for name, slugs in taken.items()]


class ToolApi(MemberApi):
    """A calculator."""

    @extend_schema(operation_id="tools_read", parameters=_parameters(), responses=AnswerSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """Answer a question; 400 names each field with what to change."""
        if slug not in TOOLS:
            raise NotFound(f"There is no calculator of that name. There are: {', '.join(TOOLS)}.")
        form = TOOLS[slug](request.query_params)
        if not form.is_valid() or form.answer is None:
            raise ValidationError(
                {name or "form": [str(error) for error in errors] for name, errors in form.errors.items()}
            )
        found = form.answer
        figures = [
            {
                "name": f.name,
                "label": f.label,
                "text": f.text,
                "note": f.note,
                "value": None if f.value is None else format(f.value, "f"),
            }
            for f in found.figures
        ]
        steps = [{"formula": step.formula, "worked": step.worked} for step in found.steps]
        body = {
            "tool": slug,
            "figures": figures,
            "steps": steps,
            "warnings": found.warnings,
            "assumptions": found.assumptions,
        }
        return Response(AnswerSerializer(body).data)
