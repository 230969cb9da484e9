"""Read what a trader did. Every question names the owner."""

from __future__ import annotations

from typing import Final

from journal.models import Fill, RefusedRow, Review, Trade, TradeFile
from journal.queries.words import open_reviews

TRADES_PAGE: Final = 50
REFUSED_SHOWN: Final = 200


def list_trades(
    *, owner_id: int, before: int | None = None, unmatched: bool = False, limit: int = TRADES_PAGE + 1
) -> list[Trade]:
    """Return the owner's trades, newest first, one more than a page; ``unmatched``: those that wait for an answer."""
    trades = Trade.objects.owned_by(owner_id).select_related("plan", "instrument")
    if unmatched:
        trades = trades.filter(matched="", plan=None)
    if before is not None:
        trades = trades.filter(pk__lt=before)
    return list(trades.order_by("-pk")[:limit])


def get_trade(*, owner_id: int, trade_id: int) -> Trade:
    """Return one trade of the owner; raises Trade.DoesNotExist for any other."""
    return Trade.objects.owned_by(owner_id).select_related("plan", "instrument").get(pk=trade_id)


def trades_of_plan(*, owner_id: int, plan_id: int) -> list[Trade]:
    """Return the trades that belong to a plan, in order."""
    trades = Trade.objects.owned_by(owner_id).filter(plan_id=plan_id).select_related("instrument")
    return list(trades.order_by("opened_at", "pk"))


def list_files(*, owner_id: int) -> list[TradeFile]:
    """Return the owner's files, newest first, without their bytes."""
    return list(TradeFile.objects.owned_by(owner_id).defer("content").order_by("-pk")[:TRADES_PAGE])


def get_file(*, owner_id: int, file_id: int) -> TradeFile:
    """Return one file of the owner; raises TradeFile.DoesNotExist for any other."""
    return TradeFile.objects.owned_by(owner_id).get(pk=file_id)


def list_refused(*, owner_id: int, file_id: int) -> list[RefusedRow]:
    """Return the first rows of a file that were not believed."""
    rows = RefusedRow.objects.owned_by(owner_id).filter(file_id=file_id)
    return list(rows.order_by("line")[:REFUSED_SHOWN])


def fills_of(*, owner_id: int, trade: Trade) -> list[Fill]:
    """Return the fills that a trade is made of; none for one that its venue summed up."""
    if trade.opened_at is None:
        return []
    fills = Fill.objects.owned_by(owner_id).filter(venue=trade.venue, symbol=trade.symbol, at__gte=trade.opened_at)
    if trade.closed_at is not None:
        fills = fills.filter(at__lte=trade.closed_at)
    return list(fills.order_by("at", "pk"))


def list_fills(*, owner_id: int, before: int | None = None, limit: int = TRADES_PAGE) -> list[Fill]:
    """Return the owner's fills, the newest row first, and those before a row."""
    fills = Fill.objects.owned_by(owner_id)
    return list((fills if before is None else fills.filter(pk__lt=before)).order_by("-pk")[:limit])


def get_fill(*, owner_id: int, fill_id: int) -> Fill:
    """Return one fill of the owner; raises Fill.DoesNotExist for any other."""
    return Fill.objects.owned_by(owner_id).get(pk=fill_id)


def trade_with(*, fill: Fill) -> Trade:
    """Return the trade that a fill opened or changed: the last that was open when it came."""
    trades = Trade.objects.owned_by(fill.owner_id).filter(venue=fill.venue, symbol=fill.symbol)
    return trades.filter(opened_at__lte=fill.at).order_by("-opened_at", "-pk")[0]


def get_review(*, owner_id: int, plan_id: int | None = None, trade_id: int | None = None) -> Review | None:
    """Return the review of a plan or of an unplanned trade."""
    reviews = Review.objects.owned_by(owner_id)
    found = (reviews.filter(plan=plan_id) if trade_id is None else reviews.filter(trade=trade_id))[:1]
    return next(iter(open_reviews(found, owner_id=owner_id)), None)


def list_reviews(*, owner_id: int, before: int | None = None, limit: int = TRADES_PAGE) -> list[Review]:
    """Return the owner's reviews, newest first, and those before a row."""
    reviews = Review.objects.owned_by(owner_id).select_related("plan")
    found = (reviews if before is None else reviews.filter(pk__lt=before)).order_by("-pk")[:limit]
    return open_reviews(found, owner_id=owner_id)


def get_review_by_id(*, owner_id: int, review_id: int) -> Review:
    """Return one review of the owner; raises Review.DoesNotExist for any other."""
    found = Review.objects.owned_by(owner_id).select_related("plan").get(pk=review_id)
    return open_reviews([found], owner_id=owner_id)[0]
