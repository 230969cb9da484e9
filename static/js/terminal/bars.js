// The bars of one time frame on an even grid of indices, holes included: the time axis counts bars, not hours.
import { cumulativeDelta, realisedVolatility } from './derived.js';
import { Spans } from './spans.js';

const COLUMNS = [
  'open', 'high', 'low', 'close', 'volume', 'delta', 'open_interest', 'funding',
  'liquidated_longs', 'liquidated_shorts', 'long_price', 'short_price',
];

// The chart library draws lines over holes, each piece in the colour of the sample where it begins.
const UNDRAWN = Object.fromEntries(
  ['color', 'topLineColor', 'bottomLineColor', 'topFillColor1', 'topFillColor2', 'bottomFillColor1', 'bottomFillColor2'].map(
    (name) => [name, 'transparent'],
  ),
);

export class Bars {
  // at: the moment [ms] as of which context is told; empty for now.
  constructor(url, at = '') {
    this.url = url;
    this.at = at;
    this.absences = new Spans('absences');
    this.conditions = new Spans('conditions');
  }

  async fetch(parameters, signal) {
    const query = new URLSearchParams(this.at ? { ...parameters, at: this.at } : parameters);
    const response = await fetch(`${this.url}?${query}`, { headers: { Accept: 'application/json' }, signal });
    if (!response.ok) throw new Error(`chart data: ${response.status}`);
    return response.json();
  }

  // Begin anew with the bars of a time frame.
  replace(document) {
    this.timeframe = document.timeframe;
    this.step = document.step_ms;
    this.start = document.start_ms;
    this.digits = document.digits;
    this.fundingInterval = document.funding_interval_ms;
    this.columns = document.bars;
    this.digests = document.digests;
    this.absences.replace(document);
    this.conditions.replace(document);
    this.reachedStart = false;
    this.derive();
  }

  // Put older bars in front, several answers at once.
  prepend(documents) {
    const start = Math.min(...documents.map(({ start_ms: at }) => at));
    const count = Math.round((this.start - start) / this.step);
    for (const document of documents) {
      this.absences.add(document);
      this.conditions.add(document);
    }
    for (const name of COLUMNS) {
      const front = new Array(count).fill(null);
      for (const { start_ms: at, bars } of documents) {
        const offset = Math.round((at - start) / this.step);
        bars[name].forEach((value, i) => (front[offset + i] = value));
      }
      this.columns[name] = front.concat(this.columns[name]);
    }
    this.start = start;
    this.derive();
  }

  // Replace the open bar and add what closed since.
  append(document) {
    this.digests = document.digests;
    this.absences.add(document);
    this.conditions.add(document);
    if (document.bars.open.length === 0) return;
    const at = Math.round((document.start_ms - this.start) / this.step);
    for (const name of COLUMNS) {
      const column = this.columns[name];
      column.length = Math.min(column.length, at);
      while (column.length < at) column.push(null);
      column.push(...document.bars[name]);
    }
    this.derive();
  }

  derive() {
    this.columns.cvd = cumulativeDelta(this.columns.delta);
    this.columns.volatility = realisedVolatility(this.columns.close, this.step);
  }

  // What a funding rate is for.
  get fundingPeriod() {
    return this.fundingInterval === null ? 'per interval' : `per ${this.fundingInterval / 3600000} h`;
  }

  // What to ask for: what lies before a moment, what came since the last bar but sections that are here already.
  olderQuery(until) {
    return { tf: this.timeframe, until };
  }

  get newerQuery() {
    const known = Object.values(this.digests ?? {}).join(',');
    return { tf: this.timeframe, since: this.time(Math.max(0, this.count - 1)), known };
  }

  get count() {
    return this.columns.close.length;
  }

  time(index) {
    return this.start + index * this.step;
  }

  index(ms) {
    return Math.floor((ms - this.start) / this.step);
  }

  // The newest bar at or before an index that is not a hole, or -1.
  held(index) {
    let i = Math.min(index, this.count - 1);
    while (i >= 0 && this.columns.close[i] === null) i -= 1;
    return i;
  }

  close(index) {
    const held = this.held(index);
    return held < 0 ? null : this.columns.close[held];
  }

  get lastClose() {
    return this.close(this.count - 1);
  }

  // The chart library's points, those from an index on.
  candles(from = 0) {
    const { open, high, low, close } = this.columns;
    return this.points(from, (i, time) => (close[i] === null ? { time } : { time, open: open[i], high: high[i], low: low[i], close: close[i] }));
  }

  line(name, from = 0) {
    const column = this.columns[name];
    return this.points(from, (i, time) => {
      const value = column[i];
      if (value === null) return { time };
      return i + 1 < column.length && column[i + 1] === null ? { time, value, ...UNDRAWN } : { time, value };
    });
  }

  // A histogram's bars, downwards with sign -1.
  bar(name, sign, from = 0) {
    const column = this.columns[name];
    return this.points(from, (i, time) => (column[i] === null ? { time } : { time, value: sign * column[i] }));
  }

  points(from, make) {
    return Array.from({ length: Math.max(0, this.count - from) }, (_, i) => make(from + i, this.time(from + i) / 1000));
  }
}
