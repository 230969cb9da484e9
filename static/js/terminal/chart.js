// The chart library's set-up: candles, the panes of open interest and funding, and how they look in each theme.
import {
  BaselineSeries,
  CandlestickSeries,
  CrosshairMode,
  LineSeries,
  LineStyle,
  LineType,
  createChart,
} from '../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs';
import { axisPrice, signed, usd } from './format.js';

const VISIBLE = { '5m': 288, '15m': 300, '1h': 228, '4h': 200, '1d': 160 };
const FONT = 'Inter, system-ui, sans-serif';

export const PANES = [
  { name: 'open_interest', label: 'Open interest', unit: 'USD', write: (value) => usd(value) },
  { name: 'funding', label: 'Funding', unit: '%', write: (value) => signed(value, 4, '%') },
];

function chartOptions(view) {
  const { css } = view;
  const line = { color: css.cross, width: 1, style: LineStyle.Solid, labelBackgroundColor: css.crossLabel };
  return {
    layout: {
      // The credit stands in the footer; the built-in logo brings inline styles and tells its site which page is open.
      attributionLogo: false,
      background: { color: css.plot },
      textColor: css.text3,
      fontFamily: FONT,
      fontSize: 11,
      panes: { separatorColor: css.line, separatorHoverColor: css.line, enableResize: true },
    },
    grid: { vertLines: { visible: false }, horzLines: { visible: false } },
    rightPriceScale: { borderVisible: false, minimumWidth: view.narrow ? 58 : 76, scaleMargins: { top: 0.1, bottom: 0.1 } },
    timeScale: { borderVisible: false, timeVisible: true, secondsVisible: false, minBarSpacing: 0.25, lockVisibleTimeRangeOnResize: true },
    crosshair: { mode: CrosshairMode.Normal, vertLine: line, horzLine: line },
    localization: { locale: 'en-GB' },
    handleScale: { axisPressedMouseMove: true },
    kineticScroll: { mouse: false, touch: true },
  };
}

// Neutral candles: no hue that the heat could be mistaken for.
function candleOptions({ css }) {
  return {
    upColor: css.candleUp,
    downColor: css.candleDown,
    borderUpColor: css.candleEdge,
    borderDownColor: css.candleEdge,
    wickUpColor: css.candleEdge,
    wickDownColor: css.candleEdge,
    priceLineColor: css.text2,
    priceLineStyle: LineStyle.Dotted,
    priceLineWidth: 1,
  };
}

function paneOptions({ css }, name) {
  const shared = { priceLineVisible: false, lastValueVisible: false, lineWidth: 1, crosshairMarkerRadius: 3 };
  if (name !== 'funding') return { ...shared, color: css.text2 };
  return {
    ...shared,
    baseValue: { type: 'price', price: 0 },
    lineType: LineType.WithSteps,
    topLineColor: css.longs,
    topFillColor1: css.longsFill,
    topFillColor2: css.longsFill,
    bottomLineColor: css.shorts,
    bottomFillColor1: css.shortsFill,
    bottomFillColor2: css.shortsFill,
  };
}

// Some room above and below the candles, so that the heat around them is in view.
function withRoom(original) {
  const info = original();
  if (!info?.priceRange) return info;
  const { minValue, maxValue } = info.priceRange;
  const middle = (minValue + maxValue) / 2;
  const half = Math.max(((maxValue - minValue) / 2) * 1.25, middle * 0.028);
  return { ...info, priceRange: { minValue: middle - half, maxValue: middle + half } };
}

export function buildChart(view, host) {
  view.chart = createChart(host, { ...chartOptions(view), autoSize: true });
  view.candles = view.chart.addSeries(CandlestickSeries, { ...candleOptions(view), autoscaleInfoProvider: withRoom });
  view.panes = {};
  const shown = view.narrow ? PANES.slice(0, 1) : PANES;
  shown.forEach(({ name, write }, i) => {
    const type = name === 'funding' ? BaselineSeries : LineSeries;
    const priceFormat = { type: 'custom', minMove: 0.0001, formatter: (value) => write(value).replace('%', '') };
    view.panes[name] = view.chart.addSeries(type, { ...paneOptions(view, name), priceFormat }, i + 1);
    view.panes[name].priceScale().applyOptions({ scaleMargins: { top: 0.34, bottom: 0.12 } });
  });
  view.chart.panes().forEach((pane, i) => pane.setStretchFactor(i === 0 ? 6.6 : 1));
}

export function restyle(view) {
  view.chart.applyOptions(chartOptions(view));
  view.candles.applyOptions(candleOptions(view));
  for (const [name, series] of Object.entries(view.panes)) series.applyOptions(paneOptions(view, name));
}

export function setData(view) {
  const { bars } = view;
  const minMove = 10 ** -bars.digits;
  view.candles.applyOptions({ priceFormat: { type: 'custom', minMove, formatter: (value) => axisPrice(value, bars.digits) } });
  view.candles.setData(bars.candles());
  for (const [name, series] of Object.entries(view.panes)) series.setData(bars.line(name));
}

// Only what changed: the bar that was open and those after it.
export function updateData(view, fromIndex) {
  const { bars } = view;
  for (const item of bars.candles().slice(fromIndex)) view.candles.update(item);
  for (const [name, series] of Object.entries(view.panes)) {
    for (const item of bars.line(name).slice(fromIndex)) series.update(item);
  }
}

export function showNewest(view) {
  const visible = Math.min(view.narrow ? 84 : VISIBLE[view.bars.timeframe], Math.max(40, view.bars.count));
  const end = view.bars.count;
  view.chart.timeScale().setVisibleLogicalRange({ from: end - visible, to: end + (view.narrow ? 3 : visible * 0.075) });
}

// Names and figures of the lower panes, as text over the canvas.
export class PaneLabels {
  constructor(view, box) {
    this.view = view;
    this.box = box;
    this.values = {};
  }

  place() {
    const origin = this.box.getBoundingClientRect().top;
    this.box.replaceChildren();
    this.view.chart.panes().slice(1).forEach((pane, i) => {
      const element = pane.getHTMLElement();
      if (!element) return;
      const label = document.createElement('div');
      label.className = 'pane-label';
      label.style.top = `${element.getBoundingClientRect().top - origin + 5}px`;
      const name = document.createElement('b');
      name.textContent = PANES[i].label;
      const unit = document.createElement('span');
      unit.textContent = PANES[i].name === 'funding' ? `% ${this.view.bars.fundingPeriod}` : PANES[i].unit;
      const value = document.createElement('em');
      this.values[PANES[i].name] = value;
      label.append(name, unit, value);
      this.box.append(label);
    });
    this.show(this.view.bars.count - 1);
  }

  show(index) {
    for (const { name, write } of PANES) {
      const value = this.view.bars.columns[name][index] ?? null;
      if (this.values[name]) this.values[name].textContent = value === null ? '— not reported' : write(value);
    }
  }
}
