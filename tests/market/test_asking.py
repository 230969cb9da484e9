"""Questions that are made of querysets, asked beside each other."""

from __future__ import annotations

import numpy as np
import pytest
from django.db.models import BinaryField, F, Value

from market import queries as market
from market.models import Instrument
from tests.asked import statements
from tests.factories import make_instrument

pytestmark = pytest.mark.django_db
FIELDS = ("number", "symbol", "body")
DTYPE = np.dtype(list(zip(FIELDS, ("<i8", "O", "O"), strict=True)))
# Bytes that end in zeros, which an array of fixed width would lose.
BODY = b"\0a%s\0\0"


def test_querysets_are_answered_in_one_statement_as_they_would_be_alone() -> None:
    made = [make_instrument(symbol=symbol) for symbol in ("BTCUSDT", "ETHUSDT", "XRPUSDT")]
    told = Instrument.objects.annotate(number=F("pk"), body=Value(BODY, BinaryField())).order_by("-symbol")
    wanted = [told.filter(symbol__in=symbols) for symbols in (("BTCUSDT", "ETHUSDT"), ("NOPE",), ("XRPUSDT",))]
    with statements() as asked:
        found = market.answer(*(market.ask_queryset(one.values(*FIELDS), DTYPE) for one in wanted))
    assert len(asked) == 1
    assert [rows.tolist() for rows in found] == [
        [(made[1].pk, "ETHUSDT", BODY), (made[0].pk, "BTCUSDT", BODY)], [], [(made[2].pk, "XRPUSDT", BODY)],
    ]  # fmt: skip
    assert found[0].tolist() == list(wanted[0].values_list(*FIELDS))


def test_percent_signs_of_a_queryset_stay_what_they_are() -> None:
    made = make_instrument(symbol="BTCUSDT")
    rows = Instrument.objects.filter(symbol__contains="TCU").extra(where=["symbol LIKE 'B%%'"])
    question = market.ask_queryset(rows.annotate(number=F("pk")).values("number"), np.dtype([("number", "<i8")]))
    assert market.answer(question)[0].tolist() == [(made.pk,)]
