// The chart's requests, one at a time: what a new time frame overtakes is broken off and never drawn, what comes while
// another is on its way is remembered.
export class Requests {
  constructor(bars, { onFree, onSuccess, onFailure }) {
    this.bars = bars;
    this.on = { onFree, onSuccess, onFailure };
    this.current = null;
    this.wanted = false;
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
    try {
      const answer = await this.bars.fetch(query, current.signal);
      if (this.current !== current) return;
      take(answer);
      this.on.onSuccess();
    } catch (error) {
      if (this.current === current) this.on.onFailure(error);
    }
    if (this.current === current) this.free();
  }

  free() {
    this.current = null;
    if (!this.wanted) return;
    this.wanted = false;
    this.on.onFree();
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
