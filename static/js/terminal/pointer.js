// What the pointer or the keyboard's cursor is at, told to everyone who shows it.
export class Pointer {
  constructor(view, { readout, panes, zones, keys, queue, redraw }) {
    Object.assign(this, { view, readout, panes, zones, keys, queue, redraw });
    view.chart.subscribeCrosshairMove((event) => this.onCrosshair(event));
    view.chart.subscribeClick(({ point }) => point && this.highlight('selected', zones.at(point.x, point.y)?.id ?? null));
    // Rows are swapped on every tick, so the listener sits above them.
    document.addEventListener('mouseover', ({ target }) => {
      const id = target.closest?.('[data-zone]')?.dataset.zone;
      this.highlight('hovered', id === undefined ? null : Number(id));
    });
  }

  onCrosshair({ point, logical, paneIndex }) {
    if (!point || logical === undefined || logical === null) {
      if (!this.keys().cursor) this.leave();
      return;
    }
    const level = paneIndex ? null : this.view.candles.coordinateToPrice(point.y);
    this.show(Math.round(logical), level, false);
  }

  show(index, level, aloud) {
    this.readout.show(index, level);
    this.panes.show(Math.max(0, Math.min(this.view.bars.count - 1, index)));
    this.view.hover = level;
    if (aloud) this.readout.announce();
    this.queue('side');
  }

  leave() {
    this.view.hover = null;
    this.readout.idle();
    this.panes.show(this.view.bars.count - 1);
    this.queue('side');
  }

  highlight(how, id) {
    if (this.view[how] === id) return;
    this.view[how] = id;
    this.redraw();
  }
}
