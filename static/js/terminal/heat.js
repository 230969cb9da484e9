// The heat under the candles: one pass over typed arrays for the visible window, then one drawImage.
//
// Columns become runs (one look-up for a bar, not for each pixel). Rows are interpolated between bins on the log codes:
// bins are finer than the estimator knows, so a smooth edge is the honest one.
import { pack } from './colour.js';
import { Layer } from './layer.js';

const GAP = 255;
// While moving, large canvases are drawn at half resolution and refined when the hand rests.
const HALF_ABOVE = 200000;
// How far from the close intervals are told apart, to either side [bins]: beyond what any window shows.
const REACH = 4096;

export class HeatLayer extends Layer {
  constructor(view) {
    super(view, 'bottom');
    this.key = '';
    this.frame = null;
    this.classes = new WeakMap();
    this.plain = sides(() => 0);
  }

  paint(target) {
    if (!this.view.layers.heat || !this.view.grid) return;
    target.useBitmapCoordinateSpace((scope) => this.draw(scope));
  }

  draw(scope) {
    const size = scope.bitmapSize;
    const coarse = this.view.moving && size.width * size.height > HALF_ABOVE ? 2 : 1;
    const window = this.window(scope, coarse);
    if (!window) return;
    const frame = this.ensureFrame(window.width, window.height);
    const key = this.keyOf(window);
    if (key !== this.key) {
      this.raster(window, frame);
      this.key = key;
      this.view.rasters = (this.view.rasters ?? 0) + 1;
    }
    const { context } = scope;
    context.save();
    context.imageSmoothingEnabled = coarse > 1;
    context.drawImage(frame.canvas, 0, 0, size.width, size.height);
    this.hatchGaps(context, frame, coarse, size.height, scope.verticalPixelRatio);
    this.veil(scope, window, coarse);
    context.restore();
  }

  // What is visible: the pixel grid, and which level of the pyramid suits it.
  window(scope, coarse) {
    const { bars, grid } = this.view;
    const scale = this.chart.timeScale();
    const x0 = scale.logicalToCoordinate(0);
    const top = this.series.coordinateToPrice(0);
    const bottom = this.series.coordinateToPrice(scope.mediaSize.height);
    if (x0 === null || top === null || bottom === null || top <= 0) return null;
    const width = Math.round(scope.bitmapSize.width / coarse);
    const height = Math.round(scope.bitmapSize.height / coarse);
    if (!width || !height) return null;
    const ratio = scope.horizontalPixelRatio / coarse;
    const rowRatio = scope.verticalPixelRatio / coarse;
    const spacing = scale.options().barSpacing;
    const binsVisible = Math.abs(grid.position(top) - grid.position(Math.max(bottom, top / 50)));
    const level = grid.drawLevel(bars.step, spacing * ratio, height / binsVisible);
    return { width, height, ratio, rowRatio, spacing, x0, top, bottom, level };
  }

  keyOf(window) {
    const { view } = this;
    const parts = [window.x0, window.spacing, window.top, window.bottom, window.level, view.tiles.version, view.rival.version];
    return [...parts, view.colourVersion, view.dataVersion, view.layers.uncertainty].join();
  }

  ensureFrame(width, height) {
    if (this.frame?.width === width && this.frame.height === height) return this.frame;
    const canvas = new OffscreenCanvas(width, height);
    const image = new ImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const runs = { x: new Int32Array(width + 1), column: new Int32Array(width), close: new Int32Array(width), gap: new Uint8Array(width), classes: [], count: 0 };
    this.frame = { width, height, canvas, context: canvas.getContext('2d'), image, pixels, runs };
    this.key = '';
    return this.frame;
  }

  raster(window, frame) {
    this.findRuns(window, frame.runs);
    const segments = this.segments(frame.runs);
    frame.pixels.fill(this.view.colours[0]);
    for (let y = 0; y < window.height; y += 1) {
      const price = this.series.coordinateToPrice((y + 0.5) / window.rowRatio);
      if (price > 0) this.rasterRow(window, frame, segments, y, this.view.grid.position(price));
    }
    frame.context.putImageData(frame.image, 0, 0);
  }

  // Pixel columns that show the same heat column, from left to right; column -1 holds nothing. Bars before the map
  // began are gaps.
  findRuns(window, runs) {
    const { bars, grid } = this.view;
    const last = bars.count - 1;
    const first = grid.firstColumn(window.level);
    let count = 0;
    let former = -2;
    for (let x = 0; x < window.width; x += 1) {
      const index = Math.min(last, Math.round(((x + 0.5) / window.ratio - window.x0) / window.spacing));
      if (index === former) continue;
      former = index;
      const column = index < 0 ? -1 : grid.columnAt(window.level, bars.time(index), bars.step);
      runs.x[count] = x;
      runs.column[count] = column < first ? -1 : column;
      runs.close[count] = index < 0 ? 0 : Math.round(grid.position(bars.close(this.barAt(window.level, column, index)) ?? 1) * 256);
      runs.gap[count] = index >= 0 && column < first ? 1 : 0;
      runs.classes[count] = index < 0 ? this.plain : this.classesAt(Math.min(bars.time(index) + bars.step, grid.drawnThrough));
      count += 1;
    }
    runs.x[count] = window.width;
    runs.count = count;
  }

  // The bar whose close tells longs from shorts in a column: the one in which the column ended.
  barAt(level, column, index) {
    const { bars, grid } = this.view;
    return Math.max(0, Math.min(index, bars.index(grid.columnEnd(level, column) - 1)));
  }

  // Runs that share a column of tiles, so that a tile is looked up once for all of them.
  segments(runs) {
    const { size } = this.view.tiles;
    const found = [];
    for (let k = 0; k < runs.count; ) {
      if (runs.column[k] < 0) {
        k += 1;
        continue;
      }
      const col = Math.floor(runs.column[k] / size);
      let end = k + 1;
      while (end < runs.count && runs.column[end] >= 0 && Math.floor(runs.column[end] / size) === col) end += 1;
      found.push({ start: k, end, col, a: { row: null, codes: null }, b: { row: null, codes: null } });
      k = end;
    }
    return found;
  }

  rasterRow(window, frame, segments, y, position) {
    const { grid, rival, tiles: { size } } = this.view;
    const centre = position / grid.heat.levels[window.level].factor - 0.5;
    const lower = Math.floor(centre);
    const weight = ((centre - lower) * 256) | 0;
    const rowA = Math.floor(lower / size);
    const rowB = Math.floor((lower + 1) / size);
    const offsetA = (lower - rowA * size) * size;
    const offsetB = (lower + 1 - rowB * size) * size;
    for (const segment of segments) {
      const base = segment.col * size;
      const a = this.tile(segment, 'a', window.level, rowA);
      const b = this.tile(segment, 'b', window.level, rowB);
      if (a === null || b === null) {
        this.rasterAwaited(frame, segment, y, window.level, a === null ? rowA : rowB);
        continue;
      }
      if (rival.mode === 'difference') {
        const other = rival.tiles.get(window.level, rowA, segment.col);
        if (other !== null) this.rasterDifference(frame, segment, y, a, other, offsetA - base);
      } else this.rasterSegment(frame, segment, y, Math.round(position * 256), weight, a, offsetA - base, b, offsetB - base);
    }
  }

  // A segment keeps its tile for as many pixel rows as the tile spans.
  tile(segment, part, level, row) {
    const kept = segment[part];
    if (kept.row === row) return kept.codes;
    const { rival, tiles } = this.view;
    kept.row = row;
    kept.codes = (rival.mode === 'other' ? rival.tiles : tiles).get(level, row, segment.col);
    return kept.codes;
  }

  // A tile on its way is neither empty nor a gap.
  rasterAwaited(frame, { start, end, col }, y, level, row) {
    const { awaited, rival, tiles } = this.view;
    const { runs, pixels, width } = frame;
    if (!(rival.mode === 'other' ? rival.tiles : tiles).isAwaited(level, row, col)) return;
    pixels.fill(pack(awaited), y * width + runs.x[start], y * width + runs.x[end]);
  }

  // The hot loop: numbers only.
  rasterSegment(frame, segment, y, position, weight, a, shiftA, b, shiftB) {
    const { pixels, runs, width } = frame;
    const { colours } = this.view;
    const line = y * width;
    for (let k = segment.start; k < segment.end; k += 1) {
      const column = runs.column[k];
      let code = a[shiftA + column];
      const next = b[shiftB + column];
      if (code === GAP || next === GAP) {
        runs.gap[k] = 1;
        continue;
      }
      if (code !== next) code = (code * (256 - weight) + next * weight) >> 8;
      if (code === 0) continue;
      const colour = colours[runs.classes[k][((position - runs.close[k]) >> 8) + REACH] | code];
      // A loop, not fill(): runs are a few pixels short, and a call costs more than they do.
      for (let x = line + runs.x[k], end = line + runs.x[k + 1]; x < end; x += 1) pixels[x] = colour;
    }
  }

  // Which of two maps holds more of a bin: their codes are logarithms, so their difference is a ratio.
  rasterDifference(frame, segment, y, ours, other, shift) {
    const { pixels, runs, width } = frame;
    const { rival } = this.view;
    const line = y * width;
    for (let k = segment.start; k < segment.end; k += 1) {
      const at = shift + runs.column[k];
      if (ours[at] === GAP || other[at] === GAP) {
        runs.gap[k] = 1;
        continue;
      }
      const colour = rival.colour(ours[at], other[at]);
      for (let x = line + runs.x[k], end = line + runs.x[k + 1]; x < end; x += 1) pixels[x] = colour;
    }
  }

  // Side and interval class by distance in bins, as the colours' table has them, of the column that ends then.
  classesAt(endMs) {
    const { bands, bars, grid, layers, rival } = this.view;
    // The intervals are those of our map.
    if (!layers.uncertainty || !bands.known || rival.mode !== 'ours') return this.plain;
    const span = bars.conditions.at(endMs);
    const key = span?.longs ? span : bands;
    if (!this.classes.has(key)) {
      const wider = bands.with(span);
      this.classes.set(key, sides((side, bins) => wider.widthClass(side, grid.distancePct(side, bins))));
    }
    return this.classes.get(key);
  }

  // A gap is a hole in the data: hatched, never the colour of zero.
  hatchGaps(context, frame, coarse, height, pixelRatio) {
    const { runs } = frame;
    context.strokeStyle = this.view.css.hatch;
    context.lineWidth = pixelRatio;
    for (let k = 0; k < runs.count; k += 1) {
      if (!runs.gap[k]) continue;
      const left = runs.x[k] * coarse;
      while (k + 1 < runs.count && runs.gap[k + 1]) k += 1;
      this.hatch(context, left, runs.x[k + 1] * coarse, height, 7 * pixelRatio);
    }
  }

  hatch(context, left, right, height, step) {
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, height);
    context.clip();
    context.beginPath();
    for (let x = left - height; x < right; x += step) {
      context.moveTo(x, height);
      context.lineTo(x + height, 0);
    }
    context.stroke();
    context.restore();
  }

  // The provisional column under half a veil, the area right of now under a whole one: carried forward, no forecast.
  veil(scope, window, coarse) {
    const { bars, grid, css } = this.view;
    const { context, bitmapSize: size, horizontalPixelRatio: ratio } = scope;
    const edge = (index) => Math.round((window.x0 + (index - 0.5) * window.spacing) * window.ratio) * coarse;
    const end = edge(bars.count);
    const firm = edge(Math.min(bars.count, bars.index(grid.builtThrough)));
    context.fillStyle = css.veil;
    if (end > firm) {
      context.globalAlpha = 0.6;
      context.fillRect(firm, 0, end - firm, size.height);
      context.globalAlpha = 1;
    }
    if (end >= size.width - 2) return;
    context.fillRect(end, 0, size.width - end, size.height);
    context.fillStyle = css.nowLine;
    context.fillRect(end, 0, Math.max(1, Math.round(ratio)), size.height);
    if (size.width - end < 84 * ratio) return;
    context.font = this.view.font(10 * ratio, 400);
    context.fillStyle = css.text2;
    context.textBaseline = 'bottom';
    context.fillText('carried forward', end + 6 * ratio, size.height - 6 * scope.verticalPixelRatio);
  }
}

// Where in the colours' table a distance from the close lies: below it longs, above it shorts, each by interval class.
function sides(classOf) {
  return Uint16Array.from({ length: 2 * REACH }, (_, i) => {
    const bins = i - REACH;
    return bins < 0 ? classOf('longs', -bins - 1) << 8 : (1 << 10) | (classOf('shorts', bins) << 8);
  });
}
