// Numbers as people read them. One Intl.NumberFormat per precision: making one for each number costs milliseconds a frame.
const formats = new Map();

function plain(digits) {
  if (!formats.has(digits)) {
    formats.set(digits, new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }));
  }
  return formats.get(digits);
}

export const DASH = '—';

export function price(value, digits) {
  return plain(digits).format(value);
}

// Digits an axis needs: a tick's, but never more than the eye can use on a large price.
export function axisPrice(value, digits) {
  return plain(Math.abs(value) >= 1000 ? 0 : digits).format(value);
}

function short(value) {
  for (const [step, letter] of [[1e9, 'B'], [1e6, 'M'], [1e3, 'K']]) {
    if (Math.abs(value) >= step * 0.9995) {
      const scaled = value / step;
      const size = Math.abs(scaled);
      return scaled.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2) + letter;
    }
  }
  return value.toFixed(0);
}

export function usd(value) {
  return value === null || !Number.isFinite(value) ? DASH : `$${short(value)}`;
}

export function usdRange(low, high) {
  return `$${short(low)}–${short(high)}`;
}

// A scale's tick: no digits that say nothing, such as $1.50B and $40M rather than $40.0M.
export function usdTick(value) {
  return value === 0 ? '0' : `$${short(value).replace(/\.0+(?=[BMK])/, '').replace(/(\.\d)0(?=[BMK])/, '$1')}`;
}

export function signed(value, digits, unit) {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}${unit}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number) => String(number).padStart(2, '0');

// Always UTC; the page says so once.
export function moment(ms) {
  const date = new Date(ms);
  return `${two(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}, ${two(date.getUTCHours())}:${two(date.getUTCMinutes())} UTC`;
}

export function age(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
}
