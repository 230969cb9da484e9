// The 80 % interval of an estimate, by side and distance from the close (docs/METHOD). Factors come with the map.
const MEDIUM = 0.45;
const WIDE = 0.85;

export class Bands {
  constructor(bands) {
    this.bands = bands;
  }

  get known() {
    return this.bands !== null;
  }

  // The same edges with the wider factors of a span of columns or of a slice, where it has any.
  with(wider) {
    if (!this.bands || !wider?.longs) return this;
    return new Bands({ edges_pct: this.bands.edges_pct, longs: wider.longs, shorts: wider.shorts });
  }

  // [low, high] factors at a distance in percent.
  factors(side, distancePct) {
    if (!this.bands) return null;
    const { edges_pct: edges, longs, shorts } = this.bands;
    let bucket = 0;
    while (bucket + 1 < edges.length && distancePct >= edges[bucket + 1]) bucket += 1;
    return (side === 'longs' ? longs : shorts)[bucket];
  }

  interval(side, distancePct, usd) {
    const factors = this.factors(side, distancePct);
    return factors ? [usd * factors[0], usd * factors[1]] : null;
  }

  // 0 narrow, 1 medium, 2 wide: half the interval's width relative to the estimate.
  widthClass(side, distancePct) {
    const factors = this.factors(side, distancePct);
    if (!factors) return 0;
    const half = (factors[1] - factors[0]) / 2;
    return half <= MEDIUM ? 0 : half <= WIDE ? 1 : 2;
  }
}
