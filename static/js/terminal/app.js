// The chart and everything that moves with it: one view object is shared by the layers.
import { Bands } from './bands.js';
import { Bars } from './bars.js';
import { PaneLabels, buildChart, restyle, setData, showNewest, updateData } from './chart.js';
import { buildTable } from './colour.js';
import { Grid } from './grid.js';
import { HeatLayer } from './heat.js';
import { Keys } from './keys.js';
import { drawLegend } from './legend.js';
import { Readout } from './readout.js';
import { Requests } from './requests.js';
import { SideMap } from './side.js';
import { StructureLayer } from './structure.js';
import { readTheme } from './style.js';
import { TileStore } from './tiles.js';
import { readLayers, toggleLayer } from './toggles.js';
import { Touches } from './touches.js';
import { ZoneBook, ZoneLayer } from './zones.js';

const SETTLE_MS = 140;
const OLDER_BEFORE = 30;
const NARROW = 720;

export async function startChart(root, help) {
  const app = new App(root, help);
  await app.open(root.dataset.timeframe);
  return app;
}

class App {
  constructor(root, help) {
    this.root = root;
    this.help = help;
    this.host = root.querySelector('#chart');
    this.view = {
      layers: readLayers(root),
      bands: new Bands(null),
      touches: new Touches(null),
      bars: new Bars(root.dataset.chartUrl, root.dataset.at),
      narrow: window.innerWidth < NARROW,
      font: (size, weight) => `${weight} ${size}px Inter, system-ui, sans-serif`,
      zones: new ZoneBook(),
      hover: null,
      // The zone that was clicked in the chart, and the one whose row lies under the pointer.
      selected: null,
      hovered: null,
      moving: false,
      colourVersion: 0,
      dataVersion: 0,
    };
    this.queued = new Set();
    this.requests = new Requests(this.view.bars, {
      onFree: () => this.refresh(),
      onSuccess: () => this.showError(null),
      onFailure: (error) => this.showError(error),
    });
  }

  // A time frame stands in the address and on its button once its bars are there, not before.
  open(timeframe, href = null) {
    return this.requests.replace({ tf: timeframe }, (document_) => {
      this.view.bars.replace(document_);
      this.view.zones.replace(document_.zones);
      this.take(document_);
      if (this.view.chart) this.reset();
      else this.build();
      this.markTimeframe(timeframe);
      if (href !== null) history.replaceState(null, '', href);
    });
  }

  // The map of an answer; another estimator or another build means other tiles.
  take({ levels, heat, slice, touches }) {
    const { view } = this;
    if (touches) Object.assign(view, { touches: new Touches(touches), levels });
    if (heat === null) return;
    // The first map of this instrument: the words around the chart still say that there is none.
    if (this.root.dataset.heatmap === 'none') window.location.reload();
    view.bands = new Bands(heat.bands);
    view.slice = slice;
    if (view.grid?.heat.tiles_url !== heat.tiles_url) {
      view.grid = new Grid(heat);
      view.tiles = new TileStore({ grid: view.grid, onChange: () => this.redraw() });
      if (view.chart) this.applyTheme();
    } else if (heat.version !== view.grid.heat.version) {
      const former = view.grid.builtThrough;
      const { floor_usd: floor, ceiling_usd: ceiling } = view.grid.heat;
      view.grid.update(heat);
      view.tiles.refreshFrom(former);
      if (floor !== heat.floor_usd || ceiling !== heat.ceiling_usd) this.applyTheme();
    }
    view.dataVersion += 1;
  }

  showError(error) {
    const banner = document.querySelector('#chart-error');
    banner.hidden = error === null;
    if (error === null) return;
    const [title, text] = this.view.chart
      ? ['New chart data could not be fetched', 'What is drawn stays as it was.']
      : ['The chart could not be loaded', 'The picture and the table below are complete.'];
    banner.querySelector('b').textContent = title;
    banner.querySelector('[data-error-text]').textContent = text;
    console.warn(`${title}.`, error);
  }

  build() {
    const { view, host, root } = this;
    this.applyTheme();
    host.replaceChildren();
    buildChart(view, host);
    this.heat = new HeatLayer(view);
    this.zones = new ZoneLayer(view);
    view.candles.attachPrimitive(this.heat);
    view.candles.attachPrimitive(new StructureLayer(view));
    view.candles.attachPrimitive(this.zones);
    const part = (name) => root.querySelector(`#${name}`);
    this.side = new SideMap(view, part('side'), part('side-caption'));
    this.labels = new PaneLabels(view, part('pane-labels'));
    this.readout = new Readout(view, { bar: part('read-bar'), heat: part('read-heat'), spoken: document.querySelector('#spoken') });
    part('readout').hidden = false;
    this.reset();
    this.listen();
    root.dataset.chart = 'ready';
  }

  reset() {
    setData(this.view);
    showNewest(this.view);
    if (this.view.grid) this.side.setSlice(this.view.slice);
    this.readout.idle();
    this.queue('labels');
    this.redraw();
  }

  listen() {
    const { view, host } = this;
    view.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => this.onRange(range));
    view.chart.subscribeCrosshairMove((event) => this.onCrosshair(event));
    view.chart.subscribeClick(({ point }) => point && this.highlight('selected', this.zones.at(point.x, point.y)?.id ?? null));
    this.keys = new Keys(view, host, {
      onCursor: (index, level) => this.point(index, level, true),
      onLeave: () => this.unpoint(),
      onToggle: (name) => this.toggle(name),
      onHelp: () => this.help.showModal(),
    });
    new ResizeObserver(() => this.queue('labels', 'side')).observe(host);
    document.documentElement.addEventListener('bh:theme', () => this.onTheme());
    for (const button of this.root.querySelectorAll('[data-layer]')) {
      button.addEventListener('click', () => this.toggle(button.dataset.layer));
    }
    for (const link of this.root.querySelectorAll('[data-timeframe-link]')) {
      link.addEventListener('click', (event) => this.onTimeframe(event, link));
    }
    // Rows are swapped on every tick, so the listener sits above them.
    document.addEventListener('mouseover', ({ target }) => {
      const id = target.closest?.('[data-zone]')?.dataset.zone;
      this.highlight('hovered', id === undefined ? null : Number(id));
    });
  }

  // --- what happens -------------------------------------------------------------------------------------------------

  onRange(range) {
    const { view } = this;
    view.moving = true;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      view.moving = false;
      this.redraw();
    }, SETTLE_MS);
    this.queue('side');
    if (range && range.from < OLDER_BEFORE) this.loadOlder();
  }

  loadOlder() {
    const { view } = this;
    if (this.requests.isBusy || view.bars.reachedStart) return;
    this.requests.add(view.bars.olderQuery, (document_) => {
      const range = view.chart.timeScale().getVisibleLogicalRange();
      const added = view.bars.prepend(document_);
      if (added === 0) return;
      view.zones.add(document_.zones);
      setData(view);
      view.chart.timeScale().setVisibleLogicalRange({ from: range.from + added, to: range.to + added });
      view.dataVersion += 1;
    });
  }

  onCrosshair({ point, logical, paneIndex }) {
    if (!point || logical === undefined || logical === null) {
      if (!this.keys.cursor) this.unpoint();
      return;
    }
    const level = paneIndex ? null : this.view.candles.coordinateToPrice(point.y);
    this.point(Math.round(logical), level, false);
  }

  point(index, level, aloud) {
    this.readout.show(index, level);
    this.labels.show(Math.max(0, Math.min(this.view.bars.count - 1, index)));
    this.view.hover = level;
    if (aloud) this.readout.announce();
    this.queue('side');
  }

  unpoint() {
    this.view.hover = null;
    this.readout.idle();
    this.labels.show(this.view.bars.count - 1);
    this.queue('side');
  }

  highlight(how, id) {
    if (this.view[how] === id) return;
    this.view[how] = id;
    this.redraw();
  }

  toggle(name) {
    toggleLayer(this.root, this.view, name);
    this.redraw();
  }

  onTimeframe(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.open(link.dataset.timeframeLink, link.href);
  }

  markTimeframe(timeframe) {
    for (const link of this.root.querySelectorAll('[data-timeframe-link]')) {
      if (link.dataset.timeframeLink === timeframe) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }

  onTheme() {
    this.applyTheme();
    restyle(this.view);
    this.redraw();
  }

  applyTheme() {
    const { view } = this;
    Object.assign(view, readTheme());
    if (!view.grid) return;
    const { code_floor_usd: codeFloor, floor_usd: floor, ceiling_usd: ceiling } = view.grid.heat;
    view.colours = buildTable({ theme: view.theme, ground: view.ground, codeFloor, floor, ceiling });
    view.colourVersion += 1;
    drawLegend(view);
  }

  // A tick came: the open bar, the open tiles, the newest slice and the zones. One that comes meanwhile is not lost.
  refresh() {
    if (this.requests.isBusy) {
      this.requests.wanted = true;
      return;
    }
    if (!this.view.chart) {
      this.open(this.root.dataset.timeframe);
      return;
    }
    this.requests.add(this.view.bars.newerQuery, (document_) => this.takeNewer(document_));
  }

  takeNewer(document_) {
    const { view } = this;
    const from = Math.max(0, view.bars.count - 1);
    view.bars.append(document_);
    view.zones.update(document_.zones);
    this.take(document_);
    updateData(view, from);
    if (view.grid) this.side.setSlice(view.slice);
    if (view.hover === null) this.unpoint();
    this.redraw();
    this.root.dataset.refreshed = String(Number(this.root.dataset.refreshed ?? 0) + 1);
  }

  // --- drawing ------------------------------------------------------------------------------------------------------

  redraw() {
    this.heat?.requestUpdate?.();
    this.queue('side', 'drawn');
  }

  queue(...names) {
    if (this.queued.size === 0) requestAnimationFrame(() => this.flush());
    for (const name of names) this.queued.add(name);
  }

  flush() {
    const names = [...this.queued];
    this.queued.clear();
    if (names.includes('labels')) this.labels.place();
    if (names.includes('side')) this.side?.draw();
    const { tiles } = this.view;
    if (tiles && tiles.version > 0 && tiles.pending === 0) this.root.dataset.drawn = 'true';
  }
}
