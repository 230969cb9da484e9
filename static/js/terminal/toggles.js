// Which layers are on: the buttons tell, and are told.
import { drawLegend } from './legend.js';

export function readLayers(root) {
  const buttons = [...root.querySelectorAll('[data-layer]')];
  return Object.fromEntries(buttons.map((button) => [button.dataset.layer, button.getAttribute('aria-pressed') === 'true']));
}

// One layer, or all of structure together: off while any of it is on.
export function toggleLayer(root, view, name) {
  const { layers } = view;
  const buttons = [...root.querySelectorAll(name === 'structure' ? '[data-levels]' : `[data-layer="${name}"]`)];
  const isOn = buttons.every(({ dataset }) => !layers[dataset.layer]);
  for (const button of buttons) {
    layers[button.dataset.layer] = isOn;
    button.setAttribute('aria-pressed', String(isOn));
  }
  if (view.grid) drawLegend(view);
}

export function markTimeframe(root, timeframe) {
  for (const link of root.querySelectorAll('[data-timeframe-link]')) {
    if (link.dataset.timeframeLink === timeframe) link.setAttribute('aria-current', 'true');
    else link.removeAttribute('aria-current');
  }
}
