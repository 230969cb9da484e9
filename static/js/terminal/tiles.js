// Tiles by level, row and column. A tile is asked for when it is first drawn, and again when it was still open.
const RETRY_MS = 4000;

export class TileStore {
  constructor({ grid, onChange }) {
    this.base = grid.heat.tiles_url;
    this.grid = grid;
    this.onChange = onChange;
    this.size = grid.heat.tile;
    this.tiles = new Map();
    this.version = 0;
    this.pending = 0;
  }

  // The tile's codes, or null while it is on its way or where nothing was built.
  get(level, row, col) {
    const key = `${level}/${row}/${col}`;
    const entry = this.tiles.get(key);
    if (entry !== undefined) return entry.codes;
    this.tiles.set(key, { codes: null, level, row, col });
    this.load(key, 'default');
    return null;
  }

  // Whether a tile is still on its way.
  isAwaited(level, row, col) {
    const entry = this.tiles.get(`${level}/${row}/${col}`);
    return entry !== undefined && entry.codes === null && !entry.isAbsent;
  }

  code(level, bin, column) {
    const row = Math.floor(bin / this.size);
    const col = Math.floor(column / this.size);
    const codes = this.get(level, row, col);
    return codes === null ? null : codes[(bin - row * this.size) * this.size + (column - col * this.size)];
  }

  async load(key, cacheMode) {
    this.pending += 1;
    try {
      const response = await fetch(`${this.base}${key}.bin`, { cache: cacheMode });
      if (response.ok) this.keep(key, new Uint8Array(await response.arrayBuffer()));
      else if (response.status === 404) this.miss(key);
      else this.retry(key);
    } catch {
      this.retry(key);
    } finally {
      this.pending -= 1;
    }
  }

  keep(key, codes) {
    if (codes.length !== this.size * this.size) return;
    undelta(codes, this.size);
    this.tiles.get(key).codes = codes;
    this.version += 1;
    this.onChange();
  }

  // Nothing was built there.
  miss(key) {
    this.tiles.get(key).isAbsent = true;
    this.version += 1;
    this.onChange();
  }

  retry(key) {
    setTimeout(() => this.tiles.has(key) && this.load(key, 'no-cache'), RETRY_MS);
  }

  // Ask again for what was open at the former end of the map; what is drawn stays until the answer is there.
  refreshFrom(formerEndMs) {
    for (const [key, { level, col }] of this.tiles) {
      if (this.grid.columnEnd(level, (col + 1) * this.size - 1) > formerEndMs) this.load(key, 'no-cache');
    }
  }
}

// Rows are coded as differences along time, modulo 256.
function undelta(codes, size) {
  for (let start = 0; start < codes.length; start += size) {
    let value = codes[start];
    for (let i = start + 1; i < start + size; i += 1) {
      value = (value + codes[i]) & 255;
      codes[i] = value;
    }
  }
}
