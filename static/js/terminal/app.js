// The chart and everything that moves with it: one view object is shared by the layers.
import { Arrivals } from './arrivals.js';
import { Bands } from './bands.js';
import { Bars } from './bars.js';
import { buildChart, restyle, setData, setLog, showNewest, updateData } from './chart.js';
import { buildTable } from './colour.js';
import { EdgeLayer } from './edge.js';
import { Grid } from './grid.js';
import { HeatLayer } from './heat.js';
import { Keys } from './keys.js';
import { drawLegend } from './legend.js';
import { LiquidationLayer } from './liquidations.js';
import { Menus } from './menus.js';
import { Panes } from './panes.js';
import { Pointer } from './pointer.js';
import { ProfileLayer } from './profile.js';
import { Leverage } from './reading.js';
import { Readout } from './readout.js';
import { Replay } from './replay.js';
import { Rival } from './rival.js';
import { Requests, showError } from './requests.js';
import { SideMap } from './side.js';
import { StructureLayer } from './structure.js';
import { readTheme } from './style.js';
import { TileStore } from './tiles.js';
import { markTimeframe, readLayers, toggleLayer } from './toggles.js';
import { Touches } from './touches.js';
import { ZoneBook, ZoneLayer } from './zones.js';

export { HeatLayer };
const SETTLE_MS = 140;
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
      leverage: new Leverage(null),
      bars: new Bars(root.dataset.chartUrl, root.dataset.at),
      narrow: window.innerWidth < NARROW,
      font: (size, weight) => `${weight} ${size}px Inter, system-ui, sans-serif`,
      zones: new ZoneBook(),
      hover: null,
      // The zone that was clicked, and the one whose row lies under the pointer.
      selected: null,
      hovered: null,
      moving: false,
      colourVersion: 0,
      dataVersion: 0,
    };
    this.view.rival = new Rival(this.view, { root, onChange: () => this.redraw() });
    this.queued = new Set();
    this.requests = new Requests(this.view.bars, {
      onFree: (isWanted) => (isWanted ? this.refresh() : this.arrivals?.look()),
      onEnd: (error) => {
        showError(this.view, error);
        this.redraw();
      },
    });
  }

  // A time frame stands in the address and on its button once its bars are there, not before.
  open(timeframe, href = null) {
    return this.requests.replace({ tf: timeframe }, (document_) => {
      this.fill(document_);
      if (this.view.chart) this.reset();
      else this.build();
      markTimeframe(this.root, timeframe);
      if (href !== null) history.replaceState(null, '', href);
    });
  }

  // The map of an answer; another estimator or another build means other tiles.
  take({ levels, heat, slice, touches, leverage, at_ms: at, as_of_ms: asOf }) {
    const { view } = this;
    this.root.dataset.drawnAt = at ?? '';
    this.root.dispatchEvent(new CustomEvent('bh:chart', { detail: at ?? asOf }));
    // What did not change is not in the answer.
    if (touches !== undefined) view.touches = new Touches(touches);
    if (levels !== undefined) view.levels = levels;
    if (leverage !== undefined) view.leverage = new Leverage(leverage);
    if (heat === null) {
      // Nothing was built by the moment that is shown.
      if (view.bars.at) Object.assign(view, { grid: null, tiles: null, slice: null });
      return;
    }
    // The first map of this instrument: the words around the chart still say that there is none.
    if (this.root.dataset.heatmap === 'none') window.location.reload();
    view.bands = new Bands(heat.bands);
    if (slice !== undefined) view.slice = slice;
    if (view.grid?.heat.tiles_url !== heat.tiles_url) {
      view.grid = new Grid(heat);
      view.tiles = new TileStore({ grid: view.grid, onChange: () => this.redraw() });
      if (view.chart) this.applyTheme();
    } else if (['version', 'built_through_ms', 'provisional_through_ms'].some((name) => heat[name] !== view.grid.heat[name])) {
      const { floor_usd: floor, ceiling_usd: ceiling, version } = view.grid.heat;
      const former = view.grid.builtThrough;
      view.grid.update(heat);
      // In a replay only the end moves: the tiles are the same.
      if (heat.version !== version) view.tiles.refreshFrom(former);
      if (floor !== heat.floor_usd || ceiling !== heat.ceiling_usd) this.applyTheme();
    }
    view.dataVersion += 1;
  }

  // The chart as known at a moment, or now; the width of the view stays.
  moveTo(at) {
    const { view } = this;
    const { from, to } = view.chart.timeScale().getVisibleLogicalRange() ?? { from: 0, to: 0 };
    const width = to - from;
    view.bars.at = at ?? '';
    return this.requests.replace({ tf: view.bars.timeframe }, (document_) => {
      this.fill(document_);
      this.reset();
      const end = view.bars.count + width * 0.075;
      view.chart.timeScale().setVisibleLogicalRange({ from: end - width, to: end });
    });
  }

  fill(document_) {
    this.arrivals?.clear();
    this.view.bars.replace(document_);
    this.view.zones.replace(document_.zones);
    this.take(document_);
  }

  build() {
    const { view, host, root } = this;
    this.applyTheme();
    host.replaceChildren();
    buildChart(view, host);
    this.panes = new Panes(view, root.querySelector('#pane-labels'));
    this.panes.build();
    this.arrivals = new Arrivals(view, this.requests, {
      onOlder: (documents) => this.takeOlder(documents),
      onNewer: (document_) => this.takeNewer(document_),
    });
    this.heat = new HeatLayer(view);
    this.zones = new ZoneLayer(view);
    view.candles.attachPrimitive(this.heat);
    for (const layer of [new EdgeLayer(view, this.requests), new ProfileLayer(view), new StructureLayer(view), this.zones, new LiquidationLayer(view)]) {
      view.candles.attachPrimitive(layer);
    }
    const part = (name) => root.querySelector(`#${name}`);
    this.side = new SideMap(view, part('side'), part('side-caption'), part('side-empty'));
    this.readout = new Readout(view, { bar: part('read-bar'), heat: part('read-heat'), more: part('read-more'), spoken: document.querySelector('#spoken') });
    part('readout').hidden = false;
    this.reset();
    this.listen();
    root.dataset.chart = 'ready';
  }

  reset() {
    setData(this.view);
    this.panes.setData();
    showNewest(this.view);
    this.side.setSlice(this.view.grid ? this.view.slice : null);
    this.readout.idle();
    this.queue('labels');
    this.redraw();
  }

  listen() {
    const { view, host, root } = this;
    this.menus = new Menus(view, root, {
      panes: () => this.panes,
      log: (isLog) => setLog(view, isLog),
      laid: () => requestAnimationFrame(() => requestAnimationFrame(() => this.queue('side'))),
      colours: () => this.onTheme(),
    });
    this.replay = new Replay(root, { onMove: (at) => this.moveTo(at), step: () => view.bars.step });
    this.replay.loadTrack(root.dataset.trackUrl);
    this.menus.show();
    view.chart.timeScale().subscribeVisibleLogicalRangeChange(() => this.onRange());
    const { readout, panes, zones } = this;
    this.pointer = new Pointer(view, { readout, panes, zones, keys: () => this.keys, queue: (...names) => this.queue(...names), redraw: () => this.redraw() });
    this.keys = new Keys(view, host, {
      onCursor: (index, level) => this.pointer.show(index, level, true),
      onLeave: () => this.pointer.leave(),
      onToggle: (name) => this.toggle(name),
      onHelp: () => this.help.showModal(),
      onStep: (steps) => this.replay.move(steps),
    });
    new ResizeObserver(() => this.queue('labels', 'side')).observe(host);
    document.documentElement.addEventListener('bh:theme', () => this.onTheme());
    for (const button of root.querySelectorAll('[data-layer]')) button.addEventListener('click', () => this.toggle(button.dataset.layer));
    for (const link of root.querySelectorAll('[data-timeframe-link]')) link.addEventListener('click', (event) => this.onTimeframe(event, link));
  }

  onRange() {
    const { view } = this;
    view.moving = true;
    clearTimeout(this.settle);
    this.settle = setTimeout(() => {
      view.moving = false;
      this.arrivals.settle();
      this.redraw();
    }, SETTLE_MS);
    this.queue('side');
    this.arrivals.look();
  }

  // The library counts from the newest bar, so what is in view stays where it is.
  takeOlder(documents) {
    const { view } = this;
    view.bars.prepend(documents);
    for (const { zones } of documents) view.zones.add(zones);
    setData(view);
    this.panes.setData();
    view.dataVersion += 1;
  }

  toggle(name) {
    toggleLayer(this.root, this.view, name);
    this.redraw();
  }

  onTimeframe(event, link) {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = new URL(window.location.href);
    address.searchParams.set('tf', link.dataset.timeframeLink);
    this.open(link.dataset.timeframeLink, address.href);
  }

  onTheme() {
    this.applyTheme();
    restyle(this.view);
    this.panes.restyle();
    this.replay.draw();
    this.redraw();
  }

  applyTheme() {
    const { view } = this;
    Object.assign(view, readTheme());
    if (!view.grid) return;
    const { code_floor_usd: codeFloor, floor_usd: floor, ceiling_usd: ceiling } = view.grid.heat;
    view.range = view.ownRange ?? { floor, ceiling };
    view.colours = buildTable({ theme: view.theme, ground: view.ground, hues: view.hues, codeFloor, ...view.range });
    view.colourVersion += 1;
    drawLegend(view);
    view.rival.recolour();
    this.menus?.show();
  }

  // A tick came: the open bar, the open tiles, the newest slice and the zones. One that comes meanwhile is not lost.
  refresh() {
    // A past moment does not change.
    if (this.view.bars.at) return;
    if (this.requests.isBusy) this.requests.wanted = true;
    else if (!this.view.chart) this.open(this.root.dataset.timeframe);
    else this.requests.add(this.view.bars.newerQuery, (document_) => this.arrivals.bring(document_));
  }

  takeNewer(document_) {
    const { view } = this;
    const from = Math.max(0, view.bars.count - 1);
    view.bars.append(document_);
    if (document_.zones) view.zones.update(document_.zones);
    this.take(document_);
    updateData(view, from);
    this.panes.updateData(from);
    if (view.grid) this.side.setSlice(view.slice);
    if (view.hover === null) this.pointer.leave();
    this.redraw();
    this.root.dataset.refreshed = String(Number(this.root.dataset.refreshed ?? 0) + 1);
  }

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
    if (names.includes('labels')) this.panes.place();
    if (names.includes('side')) this.side?.draw();
    const { tiles } = this.view;
    if (tiles && tiles.version > 0 && tiles.pending === 0) this.root.dataset.drawn = 'true';
    this.root.dataset.bars = String(this.view.bars.count);
  }
}
