// Arithmetic of the heat's absolute grid: bins are uniform in log price, columns are steps since the epoch.

export class Grid {
  constructor(heat) {
    this.update(heat);
  }

  update(heat) {
    this.heat = heat;
    this.width = heat.bin_bps * 1e-4;
  }

  // Position of a price on the grid, in bins of the finest level.
  position(price) {
    return Math.log(price) / this.width;
  }

  bin(price) {
    return Math.floor(this.position(price));
  }

  priceOf(bin) {
    return Math.exp(bin * this.width);
  }

  // The finest level whose columns are not shorter than a bar: its column at the bar's end is the bar's.
  levelFor(stepMs) {
    const { levels } = this.heat;
    let level = 0;
    while (level + 1 < levels.length && levels[level + 1].step_ms <= stepMs && stepMs % levels[level + 1].step_ms === 0) {
      level += 1;
    }
    return level;
  }

  // A coarser level where a column would be under a pixel wide or a bin under a pixel high.
  drawLevel(stepMs, pixelsPerBar, pixelsPerBin) {
    const { levels } = this.heat;
    let level = this.levelFor(stepMs);
    while (level + 1 < levels.length) {
      const narrow = (pixelsPerBar * levels[level].step_ms) / stepMs < 0.9 && pixelsPerBar < 0.9;
      const flat = pixelsPerBin * levels[level].factor < 0.35;
      if (!narrow && !flat) break;
      // A column longer than a bar shows its state only at its own end: time detail goes first.
      if (!narrow && levels[level + 1].step_ms > stepMs * 4) break;
      level += 1;
    }
    return level;
  }

  // The newest column that had ended when the bar did: nothing later than the bar is ever drawn over it.
  columnAt(level, barStartMs, stepMs) {
    const step = this.heat.levels[level].step_ms;
    const last = Math.floor((this.drawnThrough - 1) / step);
    return Math.min(last, Math.floor((barStartMs + stepMs) / step) - 1);
  }

  // The first column that was built.
  firstColumn(level) {
    return Math.floor(this.heat.built_from_ms / this.heat.levels[level].step_ms);
  }

  // Percent between the price and so many bins away: above it grows without end, below it ends at 100.
  distancePct(side, bins) {
    return Math.abs(Math.expm1(side === 'longs' ? -bins * this.width : bins * this.width)) * 100;
  }

  columnEnd(level, column) {
    return (column + 1) * this.heat.levels[level].step_ms;
  }

  get builtThrough() {
    return this.heat.built_through_ms;
  }

  // Where the map ends, the provisional column included.
  get drawnThrough() {
    return this.heat.provisional_through_ms ?? this.heat.built_through_ms;
  }
}
