from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from market.operations.holes import ABSENT, LOST, WAITING, Gap, answer, gaps_between, reconcile

MINUTE = 60_000


def test_gaps_lie_between_stretches_and_after_the_last() -> None:
    stretches = [(0, 10), (20, 30)]
    assert gaps_between(stretches, None) == [(10, 20)]
    assert gaps_between(stretches, 45) == [(10, 20), (30, 45)]
    assert gaps_between(stretches, 30) == [(10, 20)]
    assert gaps_between([], 45) == []
    assert gaps_between(stretches, 45, apart_ms=16) == [(10, 20)]
    assert gaps_between(stretches, 46, apart_ms=16) == [(10, 20), (30, 46)]


def test_reconcile_keeps_what_is_known_of_what_is_left() -> None:
    known = [Gap(0, 40, LOST, "the feed was away"), Gap(60, 80, WAITING, tries=2, due=7)]
    assert reconcile([(10, 20), (50, 70)], known, state=WAITING) == [
        Gap(10, 20, LOST, "the feed was away"),
        Gap(50, 60, WAITING),
        Gap(60, 70, WAITING, tries=2, due=7),
    ]


def test_third_empty_answer_makes_a_hole_absent() -> None:
    gaps = [Gap(0, 100 * MINUTE)]
    for tries, minutes in ((1, 1), (2, 5)):
        gaps = answer(gaps, (0, 100 * MINUTE), 1_000)
        assert gaps == [Gap(0, 100 * MINUTE, WAITING, tries=tries, due=1_000 + minutes * MINUTE)]
    (gap,) = answer(gaps, (0, 100 * MINUTE), 1_000)
    assert (gap.state, gap.tries, gap.reason) == (ABSENT, 3, "asked 3 times, the venue has nothing there")
    assert answer([gap], (0, 100 * MINUTE), 1_000) == [gap]


def test_answer_about_a_part_leaves_the_rest_waiting() -> None:
    assert answer([Gap(0, 30, tries=1)], (10, 20), 0) == [
        Gap(0, 10, tries=1),
        Gap(10, 20, tries=2, due=5 * MINUTE),
        Gap(20, 30, tries=1),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=6),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=6),
)
def test_reconcile_covers_each_gap_exactly(gaps: list[tuple[int, int]], holes: list[tuple[int, int]]) -> None:
    given_gaps, known = _apart(gaps), [Gap(start, end, LOST) for start, end in _apart(holes)]
    pieces = reconcile(given_gaps, known, state=WAITING)
    points = [at for piece in pieces for at in range(piece.start, piece.end)]
    assert points == [at for start, end in given_gaps for at in range(start, end)]
    lost = {at for piece in pieces if piece.state == LOST for at in range(piece.start, piece.end)}
    assert lost == set(points) & {at for gap in known for at in range(gap.start, gap.end)}


def _apart(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Make intervals ascend without touching."""
    result: list[tuple[int, int]] = []
    for start, length in sorted(pairs):
        begin = max(start, result[-1][1] + 1 if result else 0)
        result.append((begin, begin + length))
    return result
