// The same window under another estimator: its map instead of ours, or where one of them holds more.
import { mix, oklch, pack } from './colour.js';
import { Grid } from './grid.js';
import { drawLegend } from './legend.js';
import { TileStore } from './tiles.js';

// Codes of a difference in full colour: three doublings.
const FULL = 48;
const HUES = { ours: 150, other: 320 };

export class Rival {
  constructor(view, { root, onChange }) {
    this.view = view;
    this.root = root;
    this.onChange = onChange;
    this.mode = 'ours';
    this.tiles = null;
    for (const choice of root.querySelectorAll('[name="map-mode"]')) {
      choice.addEventListener('change', () => choice.checked && this.choose(choice.value));
    }
  }

  get version() {
    return `${this.mode}${this.tiles?.version ?? 0}`;
  }

  async choose(mode) {
    const note = this.root.querySelector('#rival-note');
    if (mode !== 'ours' && this.tiles === null && !(await this.load())) {
      this.root.querySelector('[name="map-mode"][value="ours"]').checked = true;
      this.root.querySelector('#map-menu-note').textContent = 'No map of the path of price alone has been built for this instrument.';
      return;
    }
    this.mode = mode;
    // The legend shows what holds of this map, and has to be drawn anew where it was away.
    this.root.dataset.map = mode;
    drawLegend(this.view);
    note.hidden = mode === 'ours';
    note.textContent = { ours: '', other: 'Map: path of price alone', difference: 'Green: ours more · magenta: path alone more · full colour 8×' }[mode];
    this.recolour();
    this.onChange();
  }

  // The other estimator's map of the instrument; false where there is none.
  async load() {
    const { url, timeframe } = this.view.bars;
    const response = await fetch(`${url}?${new URLSearchParams({ tf: timeframe, map: 'path-only', since: this.view.bars.time(this.view.bars.count - 1) })}`);
    const heat = response.ok ? (await response.json()).heat : null;
    if (heat === null || heat.bin_bps !== this.view.grid?.heat.bin_bps) return false;
    this.tiles = new TileStore({ grid: new Grid(heat), onChange: this.onChange });
    return true;
  }

  recolour() {
    const { grid, ground, theme, range } = this.view;
    if (!grid || this.mode !== 'difference') return;
    this.floor = 1 + 16 * Math.log2(range.floor / grid.heat.code_floor_usd);
    const lightness = theme === 'light' ? 0.52 : 0.74;
    this.table = Uint32Array.from({ length: 511 }, (_, i) => {
      const share = Math.min(1, Math.abs(i - 255) / FULL);
      return pack(mix(oklch(lightness, 0.15, i > 255 ? HUES.ours : HUES.other), ground, share));
    });
    this.ground = pack(ground);
  }

  // Where both are below the floor of the scale there is nothing to compare.
  colour(ours, other) {
    return Math.max(ours, other) < this.floor ? this.ground : this.table[ours - other + 255];
  }
}
