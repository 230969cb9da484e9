// The side map: what the newest slice adds up to if price traded through it, outwards from the last price, with its
// 80 % interval; thin bars show the size at each level.
import { usd, usdRange, usdTick } from './format.js';
import { usdOfCode } from './colour.js';

const NICE = [1, 1.5, 2, 3, 4, 6, 8, 10];
const PAD = 8;
const OWN_REACH = 0.08;
const CAPTION_HEIGHT = 66;
// Density is per this share of price.
const DENSITY_BPS = 10;

// Decode the slice once: USD per bin and cumulative sums outwards with their interval.
export function readSlice(slice, grid, bands) {
  const codes = Uint8Array.from(atob(slice.codes), (character) => character.charCodeAt(0));
  const perBin = grid.heat.bin_bps / DENSITY_BPS;
  const amounts = Float64Array.from(codes, (code) => (code > 0 && code < 255 ? usdOfCode(code, grid.heat.code_floor_usd) * perBin : 0));
  // The first bin whose centre lies above the close: the one that straddles it goes to the side of its centre.
  const closeBin = Math.ceil(grid.position(slice.close) - 0.5);
  const sums = { total: new Float64Array(codes.length), low: new Float64Array(codes.length), high: new Float64Array(codes.length) };
  addUp(slice, grid, bands, amounts, sums, closeBin, 1);
  addUp(slice, grid, bands, amounts, sums, closeBin, -1);
  return { lo: slice.bin_lo, closeBin, close: slice.close, amounts, ...sums };
}

function addUp(slice, grid, bands, amounts, sums, closeBin, direction) {
  const side = direction > 0 ? 'shorts' : 'longs';
  let total = 0;
  let low = 0;
  let high = 0;
  for (let i = closeBin - slice.bin_lo + (direction > 0 ? 0 : -1); i >= 0 && i < amounts.length; i += direction) {
    const away = Math.abs(grid.priceOf(slice.bin_lo + i + 0.5) / slice.close - 1) * 100;
    const interval = bands.interval(side, away, amounts[i]) ?? [amounts[i], amounts[i]];
    total += amounts[i];
    low += interval[0];
    high += interval[1];
    sums.total[i] = total;
    sums.low[i] = low;
    sums.high[i] = high;
  }
}

function niceCeiling(value) {
  const decade = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return decade * (NICE.find((step) => step * decade >= value) ?? 10);
}

export class SideMap {
  constructor(view, canvas, caption, empty) {
    Object.assign(this, { view, canvas, caption, empty });
    this.slice = null;
    this.slices = 0;
    this.key = '';
    // Asked for once: a look at the page's layout in each frame of a movement costs more than the drawing.
    this.size = null;
    new ResizeObserver(() => (this.size = null)).observe(canvas);
  }

  setSlice(slice) {
    this.slices += 1;
    this.slice = slice ? readSlice(slice, this.view.grid, this.view.bands.with(slice.wider)) : null;
    const reason = this.reason();
    this.canvas.parentElement.classList.toggle('is-empty', reason !== '');
    this.empty.textContent = reason && `Side map: ${reason}.`;
  }

  // Why there is nothing to draw, if so; beside the chart that hangs on the prices in view.
  reason() {
    const { slice, view } = this;
    if (!slice) return view.bars.at ? 'nothing had been built by this moment' : 'no estimate has been built for this instrument';
    if (!view.narrow) return '';
    const [first, end] = [1 - OWN_REACH, 1 + OWN_REACH].map((share) => view.grid.bin(slice.close * share) - slice.lo);
    const isBare = slice.amounts.every((amount, i) => amount === 0 || i < first || i > end);
    return isBare ? `nothing is estimated within ${100 * OWN_REACH}% of the last price` : '';
  }

  draw() {
    const { canvas, view } = this;
    this.size ??= { width: canvas.clientWidth, height: canvas.clientHeight };
    const { width, height } = this.size;
    if (!width || !height || !view.chart) return;
    const ratio = window.devicePixelRatio || 1;
    this.axis = view.narrow ? this.ownAxis(height - CAPTION_HEIGHT) : this.chartAxis();
    // Moving along time rarely moves the prices.
    const { upper, lower } = this.axis;
    const scale = [this.axis.height, upper, lower, this.axis.y((upper + lower) / 2)];
    const key = [width, height, ratio, ...scale, view.hover, this.slices, view.colourVersion, view.theme].join();
    if (key === this.key) return;
    this.key = key;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = this.view.css.plot;
    context.fillRect(0, 0, width, height);
    this.caption.style.top = `${this.axis.height + 22}px`;
    if (this.slice) this.drawSlice(context, width, this.axis.height);
  }

  // Beside the chart it shares the chart's prices.
  chartAxis() {
    const { candles, chart } = this.view;
    const height = chart.panes()[0].getHeight();
    const upper = candles.coordinateToPrice(0);
    const lower = candles.coordinateToPrice(height);
    return { height, upper, lower, y: (price) => candles.priceToCoordinate(price) };
  }

  // Below it, on a phone, it has its own: some percent to either side of the last price.
  ownAxis(height) {
    const close = this.slice?.close ?? 1;
    const upper = close * (1 + OWN_REACH);
    const lower = close * (1 - OWN_REACH);
    return { height, upper, lower, y: (price) => ((upper - price) / (upper - lower)) * height };
  }

  drawSlice(context, width, height) {
    const range = this.visible();
    if (!range) return;
    const top = niceCeiling(range.highest * 0.8);
    const span = width - PAD - 10;
    const across = (amount) => PAD + Math.min(1, amount / top) * span;
    context.save();
    context.beginPath();
    context.rect(0, 0, width, height);
    context.clip();
    context.fillStyle = this.view.css.line;
    for (const share of [0.5, 1]) context.fillRect(Math.round(across(top * share)), 0, 1, height);
    this.drawSide(context, 'shorts', Math.max(range.first, range.split), range.last, across, range, span);
    this.drawSide(context, 'longs', range.first, Math.min(range.last, range.split - 1), across, range, span);
    this.drawPrices(context, width, height);
    context.restore();
    this.drawScale(context, width, height, top, across);
  }

  // Indices of the slice that lie in the visible price range, and the largest figures among them.
  visible() {
    const { slice } = this;
    const { grid } = this.view;
    const { upper, lower } = this.axis;
    if (upper === null || lower === null || upper <= 0) return null;
    const first = Math.max(0, grid.bin(Math.max(lower, upper / 100)) - slice.lo);
    const last = Math.min(slice.amounts.length - 1, grid.bin(upper) - slice.lo);
    let highest = 0;
    let largest = 0;
    for (let i = first; i <= last; i += 1) {
      highest = Math.max(highest, slice.high[i]);
      largest = Math.max(largest, slice.amounts[i]);
    }
    return last > first && highest > 0 ? { first, last, split: slice.closeBin - slice.lo, highest, largest } : null;
  }

  drawSide(context, side, from, to, across, range, span) {
    if (to < from) return;
    const { slice, view } = this;
    const colour = side === 'longs' ? view.css.longs : view.css.shorts;
    const y = (i) => this.axis.y(view.grid.priceOf(slice.lo + i + 0.5));
    context.fillStyle = side === 'longs' ? view.css.longsFill : view.css.shortsFill;
    context.beginPath();
    for (let i = from; i <= to; i += 1) context.lineTo(across(slice.high[i]), y(i));
    for (let i = to; i >= from; i -= 1) context.lineTo(across(slice.low[i]), y(i));
    context.fill();
    context.globalAlpha = 0.5;
    context.fillStyle = colour;
    const step = to > from ? Math.abs(y(to) - y(from)) / (to - from) : 1;
    for (let i = from; i <= to; i += 1) {
      context.fillRect(PAD, y(i) - step / 2, (slice.amounts[i] / range.largest) * span * 0.42, Math.max(0.8, step * 0.78));
    }
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    for (let i = from; i <= to; i += 1) context.lineTo(across(slice.total[i]), y(i));
    context.stroke();
  }

  drawPrices(context, width, height) {
    const { view, slice } = this;
    const last = this.axis.y(slice.close);
    context.fillStyle = view.css.text3;
    if (last !== null) context.fillRect(0, Math.round(last), width, 1);
    if (view.hover === null) return;
    const y = this.axis.y(view.hover);
    if (y === null || y < 0 || y > height) return;
    context.fillStyle = view.css.cross;
    context.fillRect(0, Math.round(y), width, 1);
    const index = view.grid.bin(view.hover) - slice.lo;
    if (slice.total[index] > 0) this.drawLabel(context, width, y, index);
  }

  drawLabel(context, width, y, index) {
    const { view, slice } = this;
    const amount = usd(slice.total[index]);
    const range = ` ${usdRange(slice.low[index], slice.high[index]).slice(1)}`;
    context.font = view.font(10.5, 600);
    const first = context.measureText(amount).width;
    context.font = view.font(10, 400);
    const left = width - first - context.measureText(range).width - 16;
    const middle = y < 20 ? y + 12 : y - 12;
    context.fillStyle = view.css.tag;
    context.beginPath();
    context.roundRect(left, middle - 9, width - left - 4, 18, 3);
    context.fill();
    context.textBaseline = 'middle';
    context.fillStyle = view.css.text2;
    context.fillText(range, left + 6 + first, middle + 0.5);
    context.font = view.font(10.5, 600);
    context.fillStyle = view.css.text1;
    context.fillText(amount, left + 6, middle + 0.5);
  }

  drawScale(context, width, height, top, across) {
    context.fillStyle = this.view.css.text3;
    context.font = this.view.font(10, 400);
    context.textBaseline = 'top';
    for (const share of [0, 0.5, 1]) {
      const text = usdTick(top * share);
      const size = context.measureText(text).width;
      context.fillText(text, Math.min(width - size - 2, Math.max(2, across(top * share) - size / 2)), height + 6);
    }
  }
}
