// What is worked out of the bars that are loaded: no figure of it crosses the wire.
const DAY_MS = 86400000;
const YEAR_MS = 365 * DAY_MS;
const FEWEST = 20;

// Taker buys less taker sells, added up from the first bar that is loaded; a bar without the split is a hole.
export function cumulativeDelta(delta) {
  let sum = 0;
  return delta.map((value) => (value === null ? null : (sum += value)));
}

// Over how many returns volatility is measured: those of a day, of more where a day has few.
export function volatilityBars(step) {
  return Math.max(FEWEST, Math.round(DAY_MS / step));
}

// Root of the mean squared return, as of a year [%]; none where a bar of the span is missing.
export function realisedVolatility(close, step) {
  const count = volatilityBars(step);
  const scale = YEAR_MS / step;
  const squares = close.map((value, i) => (i && value !== null && close[i - 1] !== null ? Math.log(value / close[i - 1]) ** 2 : null));
  let sum = 0;
  let known = 0;
  return squares.map((square, i) => {
    if (square !== null) [sum, known] = [sum + square, known + 1];
    const left = i >= count ? squares[i - count] : null;
    if (left !== null) [sum, known] = [sum - left, known - 1];
    return known === count ? 100 * Math.sqrt((Math.max(0, sum) / count) * scale) : null;
  });
}

// Quote volume by price bin of a span of bars, each bar's spread evenly over what it traded through.
export function volumeProfile({ high, low, volume }, from, to, count) {
  const lows = low.slice(from, to).filter((value) => value !== null);
  const highs = high.slice(from, to).filter((value) => value !== null);
  if (lows.length === 0) return null;
  const floor = Math.min(...lows);
  const width = (Math.max(...highs) - floor) / count;
  if (!(width > 0)) return null;
  const bins = new Float64Array(count);
  for (let i = from; i < to; i += 1) {
    if (low[i] === null || volume[i] === null) continue;
    const first = Math.min(count - 1, Math.floor((low[i] - floor) / width));
    const last = Math.min(count - 1, Math.floor((high[i] - floor) / width));
    for (let bin = first; bin <= last; bin += 1) bins[bin] += volume[i] / (last - first + 1);
  }
  return { floor, width, bins, largest: Math.max(...bins) };
}
