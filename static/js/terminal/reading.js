// What a level is to the market around it, in figures of the page: leverage, distance, structure.
import { signed } from './format.js';

const ATR_BARS = 14;
const FEWEST_PERCENT = 1;

export class Leverage {
  constructor(leverage) {
    this.leverage = leverage;
    if (leverage) this.percent = Uint8Array.from(atob(leverage.percent), (character) => character.charCodeAt(0));
  }

  // "leverage 8-15x 40%, 15-22x 30%" of a bin: the two largest groups; empty where nothing was open.
  describe(bin) {
    if (!this.leverage) return '';
    const { first, coarse, labels } = this.leverage;
    const count = this.percent.length / labels.length;
    const run = Math.floor(bin / coarse) - first;
    if (run < 0 || run >= count) return '';
    const shares = labels.map((label, group) => [label, this.percent[group * count + run]]).filter(([, share]) => share >= FEWEST_PERCENT);
    const largest = shares.sort((a, b) => b[1] - a[1]).slice(0, 2);
    return largest.length ? `leverage ${largest.map(([label, share]) => `${label} ${share}%`).join(', ')}` : '';
  }
}

// The mean true range of the newest bars; null where one of them is missing.
export function averageTrueRange({ columns: { high, low, close } }, index) {
  let sum = 0;
  for (let i = index - ATR_BARS + 1; i <= index; i += 1) {
    if (i < 1 || close[i] === null || close[i - 1] === null) return null;
    sum += Math.max(high[i], close[i - 1]) - Math.min(low[i], close[i - 1]);
  }
  return sum / ATR_BARS;
}

// "+4.85%, 3.2 ATR" of a level from the newest close.
export function distance(level, bars) {
  const last = bars.held(bars.count - 1);
  if (last < 0) return '';
  const close = bars.columns.close[last];
  const range = averageTrueRange(bars, last);
  const atr = range ? `, ${(Math.abs(level - close) / range).toFixed(1)} ATR of ${ATR_BARS} × ${bars.timeframe}` : '';
  return `${signed((level / close - 1) * 100, 2, '%')}${atr}`;
}

// "between range low and point of control": the nearest lines of structure below and above.
export function place(level, levels) {
  const lines = (levels ?? []).filter(({ style, strong, layer }) => style === 'line' && (strong || layer !== 'value-area'));
  const below = lines.filter(({ low }) => low <= level).sort((a, b) => b.low - a.low)[0];
  const above = lines.filter(({ low }) => low > level).sort((a, b) => a.low - b.low)[0];
  if (below && above) return `between ${below.label.toLowerCase()} and ${above.label.toLowerCase()}`;
  if (below) return `above ${below.label.toLowerCase()}`;
  return above ? `below ${above.label.toLowerCase()}` : '';
}
