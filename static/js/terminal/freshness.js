// Says how old the data is. The server's clock decides, carried on by a stopwatch. The visitor's clock is never asked
// for the time: a jump of it only tells that the stopwatch may have slept, and then nothing is called fresh until the
// server has been asked again.
import { age } from './format.js';

const JUMP_MS = 5000;
// So long a request has before its answer is asked for again [s].
const WAIT_S = 10;
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

  // What the server said, which was asked at a moment of the stopwatch, or which came by itself. It is at least that
  // late by now, so it may move the clock forward. It was said after it was asked for, so that the clock need not be
  // ahead of an answer's time counted from the question: what took long once does not make the page old for good.
  // An answer that was asked for before a jump tells neither, and does not end the doubt.
  set(nowMs, askedAt = null) {
    this.check();
    const least = nowMs - this.elapsed();
    if (askedAt === null || askedAt < (this.doubtfulSince ?? 0)) {
      this.offset = Math.max(this.offset, least);
      return;
    }
    const most = nowMs - askedAt;
    const isUnknown = this.doubtfulSince !== null || this.offset < least;
    this.offset = isUnknown ? most : Math.min(this.offset, most);
    this.doubtfulSince = null;
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

  get isBehind() {
    return this.newest !== null && this.asOf < this.newest;
  }

  get asOf() {
    return this.newest === null ? null : Math.min(this.newest, ...this.byName.values());
  }
}

export class Freshness {
  // isPast tells whether the page shows the past on purpose; onDoubt is called when and while the time has to be asked
  // for, onLag while a part does not show what the server has.
  constructor(root, clock, { onDoubt = () => {}, onLag = () => {}, onShow = () => {}, isPast = () => false } = {}) {
    this.root = root;
    this.clock = clock;
    this.on = { doubt: onDoubt, lag: onLag, show: onShow };
    this.isPast = isPast;
    this.waited = 0;
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
    setInterval(() => this.look(), 1000);
    // Whoever comes back sees at once what is still true.
    for (const name of ['visibilitychange', 'resume']) document.addEventListener(name, () => this.show());
    window.addEventListener('pageshow', () => this.show());
  }

  // A request that failed is made again: the stream may go on, and have nothing newer for a while.
  look() {
    this.show();
    const isDoubtful = this.clock.doubtfulSince !== null;
    const isWaiting = (isDoubtful || this.parts.isBehind) && !this.isPast() && !document.hidden;
    this.waited = isWaiting ? this.waited + 1 : 0;
    if (this.waited < WAIT_S) return;
    this.waited = 0;
    if (isDoubtful) this.on.doubt();
    if (this.parts.isBehind) this.on.lag();
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
    if (isDoubtful && !wasDoubtful) this.on.doubt();
    if (allowance === null || asOf === null) return;
    if (!this.isPast()) this.on.show();
    const old = age(this.clock.now() - asOf);
    const kind = this.isPast() ? 'past' : judge({ now: this.clock.now(), asOf, allowance, isDoubtful });
    const words = { live: `Updated ${old} ago`, stale: `Data is ${old} old`, doubtful: 'Checking how old this is', past: 'Replay, not live' };
    const isNews = this.root.dataset.kind !== kind;
    this.root.dataset.kind = kind;
    this.text.textContent = words[kind];
    this.dot.classList.toggle('dot-ok', kind === 'live');
    this.dot.classList.toggle('dot-warn', kind !== 'live');
    if (isNews) this.root.dispatchEvent(new CustomEvent('bh:fresh', { bubbles: true }));
    if (!this.banner) return;
    // A live region speaks each time it changes: it holds the state, and the age only for the eye.
    this.banner.querySelector('[data-stale-age]').textContent = `Data is ${old} old`;
    if (this.banner.hidden === (kind === 'stale')) this.banner.hidden = kind !== 'stale';
  }
}
