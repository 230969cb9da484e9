// The bars of one time frame on an even grid of indices, holes included: the time axis counts bars, not hours.

const COLUMNS = ['open', 'high', 'low', 'close', 'volume', 'open_interest', 'funding'];

export class Bars {
  constructor(url) {
    this.url = url;
  }

  async fetch(parameters) {
    const query = new URLSearchParams(parameters);
    const response = await fetch(`${this.url}?${query}`, { headers: { Accept: 'application/json' } });
    if (!response.ok) throw new Error(`chart data: ${response.status}`);
    return response.json();
  }

  // Load a time frame anew; returns the whole document.
  async open(timeframe) {
    const document = await this.fetch({ tf: timeframe });
    this.timeframe = timeframe;
    this.step = document.step_ms;
    this.start = document.start_ms;
    this.digits = document.digits;
    this.columns = document.bars;
    this.reachedStart = false;
    return document;
  }

  // Put older bars in front; returns how many came.
  async older() {
    const document = await this.fetch({ tf: this.timeframe, until: this.start });
    const count = document.bars.open.length;
    if (count === 0) {
      this.reachedStart = true;
      return 0;
    }
    const hole = Math.round((this.start - document.start_ms) / this.step) - count;
    for (const name of COLUMNS) {
      this.columns[name] = [...document.bars[name], ...new Array(hole).fill(null), ...this.columns[name]];
    }
    this.start = document.start_ms;
    return count + hole;
  }

  // Replace the open bar and add what closed since; returns the whole document.
  async newer() {
    const from = this.time(this.count - 1);
    const document = await this.fetch({ tf: this.timeframe, since: from });
    if (document.bars.open.length === 0) return document;
    const at = Math.round((document.start_ms - this.start) / this.step);
    for (const name of COLUMNS) {
      const column = this.columns[name];
      column.length = Math.min(column.length, at);
      while (column.length < at) column.push(null);
      column.push(...document.bars[name]);
    }
    return document;
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

  candles() {
    const { open, high, low, close } = this.columns;
    return close.map((value, i) => {
      const time = this.time(i) / 1000;
      return value === null ? { time } : { time, open: open[i], high: high[i], low: low[i], close: value };
    });
  }

  line(name) {
    return this.columns[name].map((value, i) => {
      const time = this.time(i) / 1000;
      return value === null ? { time } : { time, value };
    });
  }
}
