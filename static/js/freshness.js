// Says how old the data is. The server's clock decides, carried on by a stopwatch; the visitor's clock is never asked.
import { age } from './terminal/format.js';

export class ServerClock {
  // The page's own time of making, counted from the start of the navigation: never too young.
  constructor(nowMs) {
    this.base = nowMs;
    this.at = 0;
  }

  set(nowMs, receivedAt) {
    this.base = nowMs;
    this.at = receivedAt;
  }

  now() {
    return this.base + performance.now() - this.at;
  }
}

export class Freshness {
  constructor(root, clock) {
    this.root = root;
    this.clock = clock;
    this.asOf = Number(root.dataset.asOfMs) || null;
    this.staleAfter = Number(root.dataset.staleAfterMs) || null;
    this.text = root.querySelector('[data-fresh-text]');
    this.dot = root.querySelector('.dot');
    this.banner = document.querySelector('#stale');
  }

  // The stopwatch always runs: what is not live yet may become so.
  start() {
    this.show();
    setInterval(() => this.show(), 1000);
  }

  update({ as_of_ms: asOf, stale_after_ms: staleAfter }) {
    this.asOf = asOf;
    this.staleAfter = staleAfter;
    this.show();
  }

  get isStale() {
    return this.staleAfter !== null && this.clock.now() > this.staleAfter;
  }

  show() {
    if (this.staleAfter === null || this.asOf === null) return;
    const old = age(this.clock.now() - this.asOf);
    const stale = this.isStale;
    this.text.textContent = stale ? `Data is ${old} old` : `Updated ${old} ago`;
    this.dot.classList.toggle('dot-ok', !stale);
    this.dot.classList.toggle('dot-warn', stale);
    if (!this.banner) return;
    // A live region speaks each time it changes: it holds the state, and the age only for the eye.
    this.banner.querySelector('[data-stale-age]').textContent = `Data is ${old} old`;
    if (this.banner.hidden === stale) this.banner.hidden = !stale;
  }
}
