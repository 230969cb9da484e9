// One heartbeat for the page: the event stream where it works, polling where it does not. Either ends in `bh:tick`.
//
// The stream is closed while the tab is hidden, because a browser allows few connections to one host.
const POLL_MS = 10000;
const RETRY_MS = 60000;

export class Live {
  constructor({ instrument, tickUrl, clock, version, onTick }) {
    this.instrument = instrument;
    this.tickUrl = tickUrl;
    this.clock = clock;
    this.version = version;
    this.onTick = onTick;
    this.etag = null;
    this.stream = null;
    this.timer = 0;
  }

  start() {
    document.addEventListener('visibilitychange', () => (document.hidden ? this.pause() : this.resume()));
    window.addEventListener('online', () => this.poll());
    if (!document.hidden) this.resume();
  }

  pause() {
    this.stream?.close();
    this.stream = null;
    clearTimeout(this.timer);
  }

  resume() {
    this.poll();
    this.connect();
  }

  connect() {
    if (!('EventSource' in window) || this.stream) return;
    this.stream = new EventSource(`/events?instrument=${encodeURIComponent(this.instrument)}`);
    this.stream.addEventListener('open', () => clearTimeout(this.timer));
    this.stream.addEventListener('tick', (event) => this.take(JSON.parse(event.data), performance.now()));
    this.stream.addEventListener('clock', (event) => this.clock.set(JSON.parse(event.data).now_ms, performance.now()));
    this.stream.addEventListener('error', () => this.fallBack());
  }

  // Poll while the stream is away; the browser reconnects by itself unless the server refused.
  fallBack() {
    if (this.stream?.readyState === EventSource.CLOSED) {
      this.stream = null;
      setTimeout(() => !document.hidden && this.connect(), RETRY_MS);
    }
    this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.poll(), POLL_MS * (0.9 + Math.random() * 0.2));
  }

  async poll() {
    clearTimeout(this.timer);
    const started = performance.now();
    try {
      const headers = this.etag ? { 'If-None-Match': this.etag } : {};
      const response = await fetch(this.tickUrl, { headers, cache: 'no-store' });
      if (response.status === 200) {
        this.etag = response.headers.get('ETag');
        this.take(await response.json(), started);
      }
    } catch {
      // Offline: the stopwatch goes on and the page says that it is stale.
    }
    if (!document.hidden && this.stream?.readyState !== EventSource.OPEN) this.schedule();
  }

  take(tick, receivedAt) {
    this.clock.set(tick.now_ms, receivedAt);
    const isNew = tick.v > this.version;
    this.version = Math.max(this.version, tick.v);
    this.onTick(tick, isNew);
  }
}
