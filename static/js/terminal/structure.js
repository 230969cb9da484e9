// What context layers say of prices: lines (solid where strong, else dashed), points (triangles at turns), and bands as
// bars in a gutter at the left edge, so that no colour of the heat is changed.
import { Layer } from './layer.js';

const GUTTER = 5;
const NODE = 36;
const PROFILE = 118;
const SIZE = 4;

export class StructureLayer extends Layer {
  constructor(view) {
    super(view, 'top');
  }

  paint(target) {
    const shown = (this.view.levels ?? []).filter(({ layer }) => this.view.layers[layer]);
    if (shown.length === 0) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => {
      for (const level of shown) this[level.style](context, level, mediaSize);
      this.labels(context, shown, mediaSize);
    });
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

  labels(context, shown, { width, height }) {
    const { css, font } = this.view;
    context.font = font(10.5, 500);
    context.textBaseline = 'bottom';
    // Names of lines that began before the view stand right of what lies at its left edge.
    const left = this.view.layers.profile ? PROFILE : GUTTER + 4;
    for (const level of shown) {
      const y = this.y(level.low);
      const from = this.start(level);
      const isNamed = level.style === 'line' && (level.strong || level.layer !== 'value-area');
      if (!isNamed || y === null || from === null || y < 14 || y > height || from > width) continue;
      const extent = context.measureText(level.label).width;
      const x = Math.min(Math.max(left, from + GUTTER + 4), width - extent - 8);
      // A ground of its own: names lie over candles, too.
      context.fillStyle = css.tag;
      context.fillRect(x - 3, y - 15, extent + 6, 13);
      context.fillStyle = css.structure;
      context.fillText(level.label, x, y - 2);
    }
  }
}
