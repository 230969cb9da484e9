// What arrives while the hand moves waits until it rests: to hand ten thousand bars to the chart takes several frames.
// Older bars are asked for on the way, and handed over together; meanwhile the edge says that they are awaited.

// So many bars before the first one, or so large a share of the view, older ones are asked for.
const BEFORE = 30;
const SHARE = 0.1;
// Longer than this nothing waits [ms]: while the hand moves, and while more of the same view is on its way.
const MOVING_MS = 2000;
const RESTING_MS = 400;

export class Arrivals {
  constructor(view, requests, { onOlder, onNewer }) {
    Object.assign(this, { view, requests, onOlder, onNewer });
    this.clear();
  }

  clear() {
    this.older = [];
    this.newer = null;
    this.since = null;
  }

  // How far back bars are known, those that wait included [ms].
  get start() {
    return this.older.at(-1)?.start_ms ?? this.view.bars.start;
  }

  get isWanted() {
    const { bars, chart } = this.view;
    const range = chart.timeScale().getVisibleLogicalRange();
    if (!range || bars.reachedStart) return false;
    const waiting = (bars.start - this.start) / bars.step;
    return range.from + waiting < Math.max(BEFORE, (range.to - range.from) * SHARE);
  }

  // The view moved, or the way is free: ask for what it lacks. What failed is tried again once the hand rests.
  look() {
    if (this.isLate) this.handOver();
    const { hasFailed, isBusy } = this.requests;
    if (isBusy || (hasFailed && this.view.moving) || !this.isWanted) return;
    this.requests.add(this.view.bars.olderQuery(this.start), (document) => this.put(document));
  }

  get isLate() {
    return this.since !== null && performance.now() - this.since > (this.view.moving ? MOVING_MS : RESTING_MS);
  }

  put(document) {
    if (document.bars.open.length === 0) this.view.bars.reachedStart = true;
    else this.older.push(document);
    this.wait();
  }

  // News of the open bar. Of several the last says it all.
  bring(document) {
    this.newer = document;
    this.wait();
  }

  wait() {
    this.since ??= performance.now();
    if (!this.view.moving && (!this.isWanted || this.isLate)) this.handOver();
  }

  settle() {
    this.handOver();
    this.look();
  }

  handOver() {
    const { older, newer } = this;
    this.clear();
    if (newer) this.onNewer(newer);
    if (older.length) this.onOlder(older);
  }
}
