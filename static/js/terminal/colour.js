// Heat ramps in OKLCH, the twin of heatmaps/palette.py. Both sides share one lightness curve, so a long cell and a
// short cell of equal estimate look equally bright; hue alone (amber, blue) tells them apart.
const FADE = 0.1;
const CODES_PER_OCTAVE = 16;
export const SIDES = { longs: 0, shorts: 1 };
// Interval classes: narrow, medium, wide. A wider interval loses chroma and top lightness (a value-suppressing palette).
export const CLASSES = 3;
const SUPPRESSED = [0, 0.5, 0.9];

const clamp = (value) => (value < 0 ? 0 : value > 1 ? 1 : value);

function linear(lightness, chroma, hue) {
  const angle = (hue * Math.PI) / 180;
  const a = chroma * Math.cos(angle);
  const b = chroma * Math.sin(angle);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

function gamma(channel) {
  const value = clamp(channel);
  return value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
}

// Chroma gives way until the colour is in gamut.
export function oklch(lightness, chroma, hue) {
  let kept = chroma;
  let channels = linear(lightness, kept, hue);
  for (let i = 0; i < 24 && !channels.every((value) => value > -0.0006 && value < 1.0006); i += 1) {
    kept *= 0.93;
    channels = linear(lightness, kept, hue);
  }
  return channels.map((value) => Math.round(gamma(value) * 255));
}

function chromaOf(side, value, dark) {
  if (!dark) return 0.012 + (side === 0 ? 0.145 : 0.14) * Math.sin(Math.PI * value * 0.62);
  return side === 0
    ? 0.016 + 0.15 * Math.sin(Math.PI * value * 0.8) ** 1.25
    : 0.016 + 0.135 * Math.sin(Math.PI * value * 0.82) ** 1.25;
}

function hueOf(side, value, dark) {
  if (side === 0) return dark ? 48 + 44 * value : 78 - 34 * value;
  return dark ? 262 - 52 * value : 228 + 30 * value;
}

// The colour of a value in [0, 1].
export function ramp(side, value, intervalClass, theme) {
  const dark = theme !== 'light';
  const suppressed = SUPPRESSED[intervalClass];
  const low = dark ? 0.178 : 0.985;
  const eased = dark ? value ** 1.45 : value ** 1.35;
  const full = low + ((dark ? 0.93 : 0.36) - low) * eased;
  const capped = low + ((dark ? 0.6 : 0.68) - low) * eased;
  const lightness = full + (capped - full) * suppressed * 0.62;
  return oklch(lightness, chromaOf(side, value, dark) * (1 - suppressed * 0.86), hueOf(side, value, dark));
}

export function pack([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

export function mix(colour, ground, share) {
  return colour.map((channel, i) => Math.round(channel * share + ground[i] * (1 - share)));
}

// How a value fades into the ground at the floor of the scale.
export function shown(side, value, intervalClass, theme, ground) {
  return mix(ramp(side, clamp(value), intervalClass, theme), ground, clamp(value / FADE));
}

// A table of packed colours, indexed side << 10 | class << 8 | code; below the floor it is the ground.
// With one hue both sides bear the second one: which is which shows in where they lie.
export function buildTable({ theme, ground, hues, codeFloor, floor, ceiling }) {
  const table = new Uint32Array(2048).fill(pack(ground));
  const span = Math.log(ceiling / floor);
  for (let code = 1; code < 255; code += 1) {
    const value = Math.log((codeFloor * 2 ** ((code - 1) / CODES_PER_OCTAVE)) / floor) / span;
    if (value <= 0) continue;
    for (let side = 0; side < 2; side += 1) {
      for (let cls = 0; cls < CLASSES; cls += 1) {
        table[(side << 10) | (cls << 8) | code] = pack(shown(hues === 1 ? 1 : side, value, cls, theme, ground));
      }
    }
  }
  return table;
}

export function usdOfCode(code, codeFloor) {
  return codeFloor * 2 ** ((code - 1) / CODES_PER_OCTAVE);
}
