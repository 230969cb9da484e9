// The chart's requests, one at a time: what a new time frame overtakes is broken off and never drawn, what comes while
// another is on its way is remembered. One that is not answered makes way for the next.
const PATIENCE_MS = 30000;

export class Requests {
  constructor(bars, { onFree, onEnd }) {
    this.bars = bars;
    this.on = { onFree, onEnd };
    this.current = null;
    this.wanted = false;
    this.hasFailed = false;
  }

  get isBusy() {
    return this.current !== null;
  }

  replace(query, take) {
    this.current?.abort();
    return this.add(query, take);
  }

  // Fetch and hand on; never rejects.
  async add(query, take) {
    const current = new AbortController();
    this.current = current;
    const limit = setTimeout(() => current.abort(), PATIENCE_MS);
    try {
      const answer = await this.bars.fetch(query, current.signal);
      if (this.current !== current) return;
      take(answer);
      this.end(null);
    } catch (error) {
      if (this.current === current) this.end(error);
    }
    clearTimeout(limit);
    if (this.current === current) this.free();
  }

  end(error) {
    this.hasFailed = error !== null;
    this.on.onEnd(error);
  }

  // Tell whether something came meanwhile. After a failure nothing is asked for until then, or the visitor moves.
  free() {
    this.current = null;
    const { hasFailed, wanted } = this;
    this.wanted = false;
    if (wanted || !hasFailed) this.on.onFree(wanted);
  }
}

export function showError(view, error) {
  const banner = document.querySelector('#chart-error');
  banner.hidden = error === null;
  if (error === null) return;
  const [title, text] = view.chart
    ? ['New chart data could not be fetched', 'What is drawn stays as it was.']
    : ['The chart could not be loaded', 'The picture and the table below are complete.'];
  if (!view.chart) document.querySelector('#terminal').dataset.chart = 'none';
  banner.querySelector('b').textContent = title;
  banner.querySelector('[data-error-text]').textContent = text;
  console.warn(`${title}.`, error);
}
