// One heartbeat for the page: the event stream where it works, polling where it does not. Either ends in `bh:tick`.
//
// Of the visible tabs of one instrument one leads: it holds the stream and tells the others, because a browser allows
// few connections to one host. A hidden tab holds nothing. A follower that hears nothing asks for itself.
//
// The server tells the time every 15 seconds: a stream that has been silent for 45 has lost its other end without a
// word, and is opened anew.
const POLL_MS = 10000;
const PATIENCE_MS = 20000;
const RETRY_MS = 60000;
const SILENCE_MS = 45000;

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
    this.canShare = 'locks' in navigator && 'BroadcastChannel' in window;
    this.channel = this.canShare ? new BroadcastChannel(`bh:live:${instrument}`) : null;
    this.channel?.addEventListener('message', ({ data }) => this.hear(data));
  }

  start() {
    document.addEventListener('visibilitychange', () => (document.hidden ? this.pause() : this.resume()));
    window.addEventListener('online', () => this.poll());
    window.addEventListener('pageshow', ({ persisted }) => persisted && this.poll());
    if (!document.hidden) this.resume();
  }

  pause() {
    this.close();
    this.waiting?.abort();
    this.release?.();
    this.release = null;
    clearTimeout(this.timer);
  }

  resume() {
    this.poll();
    if (!this.canShare) {
      this.connect();
      return;
    }
    this.waiting = new AbortController();
    const lead = () => new Promise((release) => {
      this.release = release;
      this.connect();
    });
    navigator.locks.request(`bh:live:${this.instrument}`, { signal: this.waiting.signal }, lead).catch(() => {});
  }

  get isLeading() {
    return !this.canShare || Boolean(this.release);
  }

  close() {
    this.stream?.close();
    this.stream = null;
  }

  connect() {
    if (!('EventSource' in window) || this.stream) return;
    this.stream = new EventSource(`/events?instrument=${encodeURIComponent(this.instrument)}`);
    this.stream.addEventListener('open', () => this.schedule(SILENCE_MS));
    this.stream.addEventListener('tick', (event) => this.tell({ tick: JSON.parse(event.data) }));
    this.stream.addEventListener('clock', (event) => this.tell({ now_ms: JSON.parse(event.data).now_ms }));
    this.stream.addEventListener('error', () => this.fallBack());
  }

  // What the leader hears, all hear.
  tell(news) {
    this.channel?.postMessage(news);
    this.take(news);
    this.schedule(SILENCE_MS);
  }

  hear(news) {
    if (document.hidden || this.isLeading) return;
    this.take(news);
    this.schedule(SILENCE_MS);
  }

  // Poll while the stream is away; the browser reconnects by itself unless the server refused.
  fallBack() {
    if (this.stream?.readyState === EventSource.CLOSED) {
      this.stream = null;
      setTimeout(() => !document.hidden && this.isLeading && this.connect(), RETRY_MS);
    }
    this.schedule(POLL_MS);
  }

  get isStreaming() {
    return this.stream?.readyState === EventSource.OPEN;
  }

  schedule(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.onSilence(), ms * (0.9 + Math.random() * 0.2));
  }

  onSilence() {
    if (this.isStreaming) {
      this.close();
      this.connect();
    }
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    const started = performance.now();
    const patience = new AbortController();
    const limit = setTimeout(() => patience.abort(), PATIENCE_MS);
    try {
      // An answer without a body has no time in it, and in doubt the time is what is asked for.
      const headers = this.etag && !this.clock.check() ? { 'If-None-Match': this.etag } : {};
      const response = await fetch(this.tickUrl, { headers, cache: 'no-store', signal: patience.signal });
      if (response.status === 200) {
        this.etag = response.headers.get('ETag');
        const tick = await response.json();
        if (this.isLeading) this.channel?.postMessage({ tick });
        this.take({ tick }, started);
      }
    } catch {
      // Offline: the stopwatch goes on and the page says that it is stale.
    }
    clearTimeout(limit);
    if (!document.hidden) this.schedule(this.isLeading && !this.isStreaming ? POLL_MS : SILENCE_MS);
  }

  take({ tick, now_ms: nowMs }, askedAt = null) {
    this.clock.set(tick?.now_ms ?? nowMs, askedAt);
    if (!tick) return;
    const isNew = tick.v > this.version;
    this.version = Math.max(this.version, tick.v);
    this.onTick(tick, isNew);
  }
}
