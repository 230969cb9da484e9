// The chance that a price of this volatility touches a level, from the newest close (docs/METHOD). It comes by distance.
const WORDS = { '4h': '4 h', '24h': '24 h', '3d': '3 d', '7d': '7 d' };

export class Touches {
  constructor(touches) {
    this.touches = touches;
  }

  // "touch in 4 h 12%, 24 h 31%" of a level seen from a price; empty where nothing can be stated.
  describe(level, close, horizons) {
    if (!this.touches || !(level > 0) || !(close > 0)) return '';
    const { distances, down, up } = this.touches;
    const table = level > close ? up : down;
    const away = Math.abs(Math.log(level / close));
    const parts = horizons.filter((name) => table[name]).map((name) => `${WORDS[name]} ${percent(between(distances, table[name], away))}`);
    return parts.length ? `touch in ${parts.join(', ')}` : '';
  }
}

// In straight lines between the distances, the last value beyond them.
function between(distances, chances, away) {
  let at = 1;
  while (at + 1 < distances.length && away > distances[at]) at += 1;
  const share = Math.min(1, (away - distances[at - 1]) / (distances[at] - distances[at - 1]));
  return chances[at - 1] + share * (chances[at] - chances[at - 1]);
}

function percent(chance) {
  const rounded = Math.round(chance * 100);
  if (rounded < 1) return '<1%';
  return rounded > 99 ? '>99%' : `${rounded}%`;
}
