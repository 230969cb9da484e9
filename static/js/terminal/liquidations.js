// Liquidations that the venue reported, as marks at the mean price of a bar's prints: the area grows with the sum. What
// is told by the hour without a price has no mark; the pane shows it.
import { Layer } from './layer.js';

const LARGEST = 9;
const SMALLEST = 1.5;

export class LiquidationLayer extends Layer {
  constructor(view) {
    super(view, 'top');
  }

  paint(target) {
    if (!this.view.layers.liquidations) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => this.draw(context, mediaSize));
  }

  draw(context, { width, height }) {
    const { bars, css, chart } = this.view;
    const { columns } = bars;
    const range = chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const [from, to] = [Math.max(0, Math.floor(range.from)), Math.min(bars.count - 1, Math.ceil(range.to))];
    const sides = [['longs', columns.liquidated_longs, columns.long_price], ['shorts', columns.liquidated_shorts, columns.short_price]];
    let largest = 0;
    for (const [, sums, prices] of sides) {
      for (let i = from; i <= to; i += 1) if (prices[i] !== null) largest = Math.max(largest, sums[i]);
    }
    if (largest === 0) return;
    context.lineWidth = 1;
    context.strokeStyle = css.plot;
    for (const [side, sums, prices] of sides) {
      context.fillStyle = css[side];
      for (let i = from; i <= to; i += 1) {
        if (prices[i] === null) continue;
        const [x, y] = [this.x(i), this.y(prices[i])];
        if (x === null || y === null || x < 0 || x > width || y < 0 || y > height) continue;
        context.beginPath();
        context.arc(x, y, Math.max(SMALLEST, LARGEST * Math.sqrt(sums[i] / largest)), 0, 2 * Math.PI);
        context.fill();
        context.stroke();
      }
    }
  }
}
