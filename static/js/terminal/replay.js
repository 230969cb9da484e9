// Replay: the whole page as it was known at a past moment. The moment stands in the address, so a link shares it.
import { moment } from './format.js';

const HOUR = 3600000;
const LEAST_MS = 700;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export class Replay {
  // onMove(at) shows the chart of a moment, or of now with null; it resolves when the chart has it.
  constructor(root, { onMove, step }) {
    this.root = root;
    this.onMove = onMove;
    this.step = step;
    this.box = root.querySelector('#replay');
    if (!this.box) return;
    const part = (name) => this.box.querySelector(`#replay-${name}`);
    [this.slider, this.button, this.text, this.live, this.track] = ['at', 'play', 'text', 'live', 'track'].map(part);
    this.at = Number(root.dataset.at) || null;
    this.isPlaying = false;
    this.slider.addEventListener('input', () => this.say(this.chosen));
    this.slider.addEventListener('change', () => this.go(this.chosen));
    this.button.addEventListener('click', () => (this.isPlaying ? this.pause() : this.play()));
    this.live.addEventListener('click', (event) => {
      event.preventDefault();
      this.go(null);
    });
    this.say(this.at);
    document.addEventListener('bh:fresh', () => this.say(this.at));
  }

  get end() {
    return Number(this.slider.max);
  }

  // Where the slider stands; at its right end that is now.
  get chosen() {
    const value = Number(this.slider.value);
    return value > this.end - HOUR ? null : value;
  }

  say(at) {
    const isLive = document.querySelector('#fresh').dataset.kind === 'live';
    const words = at === null ? (isLive ? 'Live edge' : 'Newest data') : `As known ${moment(at)}`;
    this.text.textContent = words;
    this.slider.setAttribute('aria-valuetext', words);
    this.box.classList.toggle('is-past', at !== null);
  }

  async go(at) {
    if (!this.box) return;
    this.at = at;
    this.root.dataset.at = at ?? '';
    this.slider.value = String(at ?? this.end);
    this.live.hidden = at === null;
    this.say(at);
    const address = new URL(window.location.href);
    if (at === null) address.searchParams.delete('at');
    else address.searchParams.set('at', new Date(at).toISOString().replace(/:00\.000Z$/, 'Z'));
    history.replaceState(null, '', address);
    await Promise.all([this.onMove(at), this.figures(at)]);
    this.draw();
  }

  // The page's figures, each to its place. Without the library the page is asked for anew.
  figures(at) {
    const url = this.root.dataset.liveUrl;
    if (!window.htmx) return window.location.reload();
    const query = at === null ? '' : `?at=${at}`;
    window.htmx.ajax('GET', `${this.root.dataset.changesUrl}${query}`, { target: '#changes', swap: 'innerHTML' });
    return window.htmx.ajax('GET', `${url}${query}`, { source: '#figures', target: '#figures', swap: 'none' });
  }

  move(steps) {
    if (!this.box) return;
    const next = (this.at ?? this.end) + steps * this.step();
    const floor = Number(this.slider.min);
    this.go(next >= this.end ? null : Math.max(floor, next));
  }

  async play() {
    this.setPlaying(true);
    if (this.at === null) await this.go(Math.max(Number(this.slider.min), this.end - 48 * this.step()));
    while (this.isPlaying && this.at !== null) {
      const next = this.at + this.step();
      await Promise.all([this.go(next >= this.end ? null : next), sleep(LEAST_MS)]);
    }
    this.setPlaying(false);
  }

  pause() {
    this.setPlaying(false);
  }

  setPlaying(isPlaying) {
    this.isPlaying = isPlaying;
    this.button.setAttribute('aria-pressed', String(isPlaying));
    this.button.setAttribute('aria-label', isPlaying ? 'Pause replay' : 'Play replay');
  }

  // The price of the whole map's span, once, so that one sees where to go.
  async loadTrack(url) {
    if (!this.box) return;
    const response = await fetch(url, { headers: { Accept: 'application/json' } }).catch(() => null);
    if (!response?.ok) return;
    const { start_ms: start, step_ms: step, close } = await response.json();
    this.closes = close.map((value, i) => [start + (i + 1) * step, value]).filter(([, value]) => value !== null);
    this.draw();
  }

  draw() {
    if (!this.closes?.length) return;
    const canvas = this.track;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const [floor, end] = [Number(this.slider.min), this.end];
    const inside = this.closes.filter(([at]) => at >= floor);
    const [low, high] = [Math.min(...inside.map(([, c]) => c)), Math.max(...inside.map(([, c]) => c))];
    const x = (at) => ((at - floor) / (end - floor)) * width;
    const y = (close) => 3 + (1 - (close - low) / (high - low || 1)) * (height - 6);
    for (const [isPast, colour] of [[true, '--t2'], [false, '--line2']]) {
      context.strokeStyle = style.getPropertyValue(colour);
      context.beginPath();
      for (const [at, close] of inside) if ((at <= (this.at ?? end)) === isPast) context.lineTo(x(at), y(close));
      context.stroke();
    }
  }
}
