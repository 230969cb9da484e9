from __future__ import annotations

import math

import pytest

from market.canonical import InexactError, canonical_json, digest
from market.series import epoch_ms, moment


def test_floats_are_spelled_only_where_asked() -> None:
    assert canonical_json({"b": 0.1, "a": [1.0]}, is_exact=False) == b'{"a":[1.0],"b":0.1}'
    with pytest.raises(InexactError):
        canonical_json({"b": 0.1})


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, {"ü": 1}, (1, 2), object()])
def test_what_has_no_spelling_is_refused_either_way(value: object) -> None:
    for is_exact in (True, False):
        with pytest.raises(InexactError):
            canonical_json([value], is_exact=is_exact)


def test_digest_is_of_the_spelling() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


@pytest.mark.parametrize("ms", [0, 1, 1_768_478_400_123, -1])
def test_moments_go_there_and_back(ms: int) -> None:
    assert epoch_ms(moment(ms)) == ms
