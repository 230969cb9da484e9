"""Create the bar table, partitioned by month; ``market.operations`` makes the months as rows arrive."""

from django.db import migrations

CREATE = """
CREATE TABLE market_bar (
    instrument_id bigint NOT NULL,
    price_kind smallint NOT NULL CHECK (price_kind IN (0, 1)),
    timeframe integer NOT NULL CHECK (timeframe > 0),
    open_time timestamptz NOT NULL,
    open double precision NOT NULL,
    high double precision NOT NULL,
    low double precision NOT NULL,
    close double precision NOT NULL,
    volume double precision,
    quote_volume double precision,
    taker_buy_volume double precision,
    PRIMARY KEY (instrument_id, price_kind, timeframe, open_time),
    -- NaN sorts above every number in PostgreSQL, so the upper bounds refuse it too.
    CHECK (low > 0 AND high < 1e15 AND low <= open AND low <= close AND high >= open AND high >= close),
    CHECK (volume >= 0 AND volume < 1e15),
    CHECK (quote_volume >= 0 AND quote_volume < 1e18),
    CHECK (taker_buy_volume >= 0 AND taker_buy_volume <= volume)
) PARTITION BY RANGE (open_time)
"""


class Migration(migrations.Migration):
    dependencies = [("market", "0001_start")]

    operations = [migrations.RunSQL(CREATE, "DROP TABLE market_bar")]
