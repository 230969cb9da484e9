// The theme as the chart needs it: the tokens of tokens.css, read once for each switch.
import { currentTheme } from '../theme.js';

const NAMES = {
  plot: '--plot',
  awaited: '--bg2',
  line: '--line',
  text1: '--t1',
  text2: '--t2',
  text3: '--t3',
  longs: '--longs',
  shorts: '--shorts',
  longsFill: '--longs-fill',
  shortsFill: '--shorts-fill',
  zoneEnded: '--zone-ended',
  tag: '--tag',
  axisTag: '--bg3',
  veil: '--veil',
  nowLine: '--now-line',
  hatch: '--hatch',
  structure: '--structure',
  candleUp: '--candle-up',
  candleDown: '--candle-down',
  candleEdge: '--candle-edge',
  cross: '--cross',
  crossLabel: '--cross-label',
};
const GROUND = { dark: [11, 13, 17], light: [255, 255, 255] };
// What is waited for: --bg2.
const AWAITED = { dark: [19, 23, 28], light: [245, 246, 248] };

export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const css = Object.fromEntries(Object.entries(NAMES).map(([name, token]) => [name, style.getPropertyValue(token).trim()]));
  const theme = currentTheme();
  return { css, theme, ground: GROUND[theme], awaited: AWAITED[theme], hues: document.documentElement.dataset.hue === 'one' ? 1 : 2 };
}
