// The chart by keyboard: a cursor of bar and level, zoom, layers. Listed in the help dialog.
const LEVEL_STEP = 0.0005;
const FAST = 10;

export class Keys {
  constructor(view, host, { onCursor, onLeave, onToggle, onHelp, onStep }) {
    this.view = view;
    this.on = { onCursor, onLeave, onToggle, onHelp, onStep };
    this.cursor = null;
    host.addEventListener('keydown', (event) => this.press(event));
    host.addEventListener('blur', () => this.leave());
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? FAST : 1;
    const actions = {
      ArrowLeft: () => this.move(-step, 0),
      ArrowRight: () => this.move(step, 0),
      ArrowUp: () => this.move(0, step),
      ArrowDown: () => this.move(0, -step),
      Home: () => this.jump(0),
      End: () => this.jump(this.view.bars.count - 1),
      '+': () => this.zoom(0.8),
      '=': () => this.zoom(0.8),
      '-': () => this.zoom(1.25),
      h: () => this.on.onToggle('heat'),
      u: () => this.on.onToggle('uncertainty'),
      z: () => this.on.onToggle('zones'),
      s: () => this.on.onToggle('structure'),
      v: () => this.on.onToggle('profile'),
      l: () => this.on.onToggle('liquidations'),
      '[': () => this.on.onStep(-1),
      ']': () => this.on.onStep(1),
      '{': () => this.on.onStep(-FAST),
      '}': () => this.on.onStep(FAST),
      Escape: () => this.leave(),
      '?': () => this.on.onHelp(),
    };
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  start() {
    const { bars } = this.view;
    this.cursor ??= { index: bars.count - 1, level: bars.lastClose };
    return this.cursor;
  }

  move(bars, levels) {
    const cursor = this.start();
    cursor.index = Math.max(0, Math.min(this.view.bars.count - 1, cursor.index + bars));
    cursor.level *= (1 + LEVEL_STEP) ** levels;
    this.show();
  }

  jump(index) {
    this.start().index = index;
    this.show();
  }

  show() {
    const { chart, candles, bars } = this.view;
    this.reveal(this.cursor.index);
    chart.setCrosshairPosition(this.cursor.level, bars.time(this.cursor.index) / 1000, candles);
    this.on.onCursor(this.cursor.index, this.cursor.level);
  }

  // Bring the cursor's bar into view.
  reveal(index) {
    const scale = this.view.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range || (index >= range.from && index <= range.to)) return;
    const width = range.to - range.from;
    const from = index < range.from ? index - width * 0.1 : index - width * 0.9;
    scale.setVisibleLogicalRange({ from, to: from + width });
  }

  zoom(factor) {
    const scale = this.view.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    if (!range) return;
    const width = Math.max(12, (range.to - range.from) * factor);
    scale.setVisibleLogicalRange({ from: range.to - width, to: range.to });
  }

  leave() {
    if (this.cursor === null) return;
    this.cursor = null;
    this.view.chart.clearCrosshairPosition();
    this.on.onLeave();
  }
}
