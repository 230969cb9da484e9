// Says how old the data is. The server's clock decides, carried on by a stopwatch. The visitor's clock is never asked
// for the time: a jump of it only tells that the stopwatch may have slept, and then nothing is called fresh until the
// server has been asked again.
import { age } from './format.js';

const JUMP_MS = 5000;
const watches = { elapsed: () => performance.now(), wall: () => Date.now() };

export class ServerClock {
  // The page's own time of making, counted from the start of the navigation: never too young.
  constructor(nowMs, { elapsed, wall } = watches) {
    this.elapsed = elapsed;
    this.wall = wall;
    this.offset = nowMs;
    this.drift = wall() - elapsed();
    this.doubtfulSince = null;
  }

  // What the server said, which was asked at a moment of the stopwatch, or which came by itself at it. What comes late
  // may never make the clock younger; what was not asked for since a jump does not end the doubt.
  set(nowMs, at, isAnswer = false) {
    this.check();
    this.offset = Math.max(this.offset, nowMs - at);
    if (isAnswer && this.doubtfulSince !== null && at >= this.doubtfulSince) this.doubtfulSince = null;
  }

  check() {
    const drift = this.wall() - this.elapsed();
    if (Math.abs(drift - this.drift) > JUMP_MS) this.doubtfulSince = this.elapsed();
    this.drift = drift;
    return this.doubtfulSince !== null;
  }

  now() {
    return this.offset + this.elapsed();
  }
}

// live, stale, or doubtful: never live where the data may be older than it is allowed to be.
export function judge({ now, asOf, allowance, isDoubtful }) {
  if (now - asOf > allowance) return 'stale';
  return isDoubtful ? 'doubtful' : 'live';
}

// The page is as old as its oldest part: what the tick says of the server counts only once every part shows it.
export class Parts {
  constructor(asOf, allowance) {
    this.newest = asOf;
    this.allowance = allowance;
    this.byName = new Map();
  }

  tick(asOf, staleAfter) {
    this.newest = asOf;
    this.allowance = staleAfter === null || asOf === null ? null : staleAfter - asOf;
  }

  show(name, asOf) {
    if (asOf) this.byName.set(name, asOf);
  }

  get asOf() {
    return this.newest === null ? null : Math.min(this.newest, ...this.byName.values());
  }
}

export class Freshness {
  // isPast tells whether the page shows the past on purpose.
  constructor(root, clock, { onDoubt = () => {}, isPast = () => false } = {}) {
    this.root = root;
    this.clock = clock;
    this.onDoubt = onDoubt;
    this.isPast = isPast;
    const [asOf, staleAfter] = [Number(root.dataset.asOfMs) || null, Number(root.dataset.staleAfterMs) || null];
    this.parts = new Parts(null, null);
    this.parts.tick(asOf, staleAfter);
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
    this.parts.tick(asOf, staleAfter);
    this.show();
  }

  // A part of the page shows data up to a moment.
  seen(name, asOf) {
    this.parts.show(name, asOf);
    this.show();
  }

  show() {
    const { asOf, allowance } = this.parts;
    const wasDoubtful = this.clock.doubtfulSince !== null;
    const isDoubtful = this.clock.check();
    if (isDoubtful && !wasDoubtful) this.onDoubt();
    if (allowance === null || asOf === null) return;
    const old = age(this.clock.now() - asOf);
    const kind = this.isPast() ? 'past' : judge({ now: this.clock.now(), asOf, allowance, isDoubtful });
    const words = { live: `Updated ${old} ago`, stale: `Data is ${old} old`, doubtful: 'Checking how old this is', past: 'Replay, not live' };
    this.root.dataset.kind = kind;
    this.text.textContent = words[kind];
    this.dot.classList.toggle('dot-ok', kind === 'live');
    this.dot.classList.toggle('dot-warn', kind !== 'live');
    if (!this.banner) return;
    // A live region speaks each time it changes: it holds the state, and the age only for the eye.
    this.banner.querySelector('[data-stale-age]').textContent = `Data is ${old} old`;
    if (this.banner.hidden === (kind === 'stale')) this.banner.hidden = kind !== 'stale';
  }
}
