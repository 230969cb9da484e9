// The legend: both ramps with the three interval classes, and ticks in USD per 0.1 % of price. The scale belongs to the
// instrument, not to the view, so a colour means the same wherever one looks.
import { CLASSES, SIDES, shown } from './colour.js';
import { usdTick } from './format.js';

const STEPS = 24;

export function drawLegend(view) {
  for (const canvas of document.querySelectorAll('canvas.ramp')) drawRamp(view, canvas);
  for (const box of document.querySelectorAll('.ticks')) box.replaceChildren(...ticks(view.range));
}

function drawRamp(view, canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  const rows = view.bands.known && view.layers.uncertainty ? CLASSES : 1;
  for (let cls = 0; cls < rows; cls += 1) {
    for (let step = 0; step < STEPS; step += 1) {
      const colour = shown(view.hues === 1 ? 1 : SIDES[canvas.dataset.side], (step + 0.5) / STEPS, cls, view.theme, view.ground);
      context.fillStyle = `rgb(${colour.join(' ')})`;
      context.fillRect((step * width) / STEPS, (cls * height) / rows, width / STEPS + 0.6, height / rows - (rows > 1 ? 0.5 : 0));
    }
  }
}

function ticks({ floor, ceiling }) {
  // Two figures are enough between the ends, and leave them room.
  const places = [floor, Number(Math.sqrt(floor * ceiling).toPrecision(2)), ceiling];
  return places.map((amount, i) => {
    const tick = document.createElement('span');
    tick.textContent = i === 2 ? `≥${usdTick(amount)}` : usdTick(amount);
    tick.style.left = `${i * 50}%`;
    return tick;
  });
}
