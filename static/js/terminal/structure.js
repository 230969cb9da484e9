// What context layers say of prices: lines (solid where strong, else dashed), points (triangles at turns), and bands as
// bars in a gutter at the left edge, so that no colour of the heat is changed. Names of lines stand on the price axis,
// where they cover no candle.
import { Layer } from './layer.js';

const GUTTER = 5;
const NODE = 36;
const SIZE = 4;
// As wide as the axis is, no wider, no narrower: under a tag no figure may show. Whole names are told under the crosshair.
const SHORT = { 'Point of control': 'PoC\u2003\u2002', 'Range high': 'R. high', 'Range low': 'R. low' };

export class StructureLayer extends Layer {
  constructor(view) {
    super(view, 'top');
    this.tags = [];
    this.key = '';
  }

  get shown() {
    return (this.view.levels ?? []).filter(({ layer }) => this.view.layers[layer]);
  }

  paint(target) {
    const { shown } = this;
    if (shown.length === 0) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      for (const level of shown) this[level.style](context, level, mediaSize);
    });
  }

  // The library keeps what it made of the same list.
  priceAxisViews() {
    const named = this.shown.filter(({ style, strong, layer }) => style === 'line' && (strong || layer !== 'value-area'));
    const key = named.map(({ label, low, from_ms: from }) => [label, low, from]).join();
    if (key !== this.key) [this.tags, this.key] = [named.map((level) => this.tag(level)), key];
    return this.tags;
  }

  tag(level) {
    const name = level.label.split(',')[0];
    return {
      coordinate: () => this.y(level.low) ?? 0,
      text: () => SHORT[name] ?? name,
      textColor: () => this.view.css.text1,
      backColor: () => this.view.css.axisTag,
      visible: () => this.isSeen(level),
    };
  }

  isSeen(level) {
    const [y, from] = [this.y(level.low), this.start(level)];
    return y !== null && from !== null && y >= 0 && y <= this.chart.panes()[0].getHeight() && from <= this.chart.timeScale().width();
  }

  // Where a level begins [px]; null while it lies right of what is drawn.
  start({ from_ms: from }) {
    const { bars } = this.view;
    return this.x(Math.max(0, Math.min(bars.count - 1, bars.index(from))));
  }

  line(context, level, { width, height }) {
    const y = this.y(level.low);
    const from = this.start(level);
    if (y === null || from === null || y < 0 || y > height || from > width) return;
    const isNode = level.layer === 'value-area' && !level.strong;
    context.strokeStyle = this.view.css.structure;
    context.lineWidth = 1;
    context.setLineDash(level.strong ? [] : [5, 4]);
    context.beginPath();
    context.moveTo(isNode ? 0 : Math.max(0, from), Math.round(y) + 0.5);
    context.lineTo(isNode ? NODE : width, Math.round(y) + 0.5);
    context.stroke();
    context.setLineDash([]);
  }

  band(context, level, { height }) {
    const top = this.y(level.high);
    const bottom = this.y(level.low);
    if (top === null || bottom === null || bottom < 0 || top > height) return;
    context.fillStyle = this.view.css.structure;
    context.globalAlpha = 0.7;
    context.fillRect(0, top, GUTTER, Math.max(1, bottom - top));
    context.globalAlpha = 1;
  }

  // A turn is the extreme of an hour that ended then: above a high, below a low.
  point(context, level, { width, height }) {
    const { bars, css } = this.view;
    const x = this.x(bars.index(level.from_ms - 1));
    const y = this.y(level.low);
    if (x === null || y === null || x < 0 || x > width || y < 0 || y > height) return;
    const away = level.strong ? -1 : 1;
    context.fillStyle = css.structure;
    context.strokeStyle = css.plot;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x, y + 3 * away);
    context.lineTo(x - SIZE, y + (3 + 1.6 * SIZE) * away);
    context.lineTo(x + SIZE, y + (3 + 1.6 * SIZE) * away);
    context.closePath();
    context.fill();
    context.stroke();
  }
}
