// The chart library's set-up: candles, axes, and how they look in each theme.
import { CandlestickSeries, CrosshairMode, LineStyle, PriceScaleMode, createChart } from '../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs';
import { axisPrice } from './format.js';

const VISIBLE = { '5m': 288, '15m': 300, '1h': 228, '4h': 200, '1d': 160 };
const FONT = 'Inter, system-ui, sans-serif';

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
}

// Equal distances are equal changes, or equal amounts.
export function setLog(view, isLog) {
  view.candles.priceScale().applyOptions({ mode: isLog ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
}

export function restyle(view) {
  view.chart.applyOptions(chartOptions(view));
  view.candles.applyOptions(candleOptions(view));
}

export function setData(view) {
  const { bars } = view;
  const minMove = 10 ** -bars.digits;
  view.candles.applyOptions({ priceFormat: { type: 'custom', minMove, formatter: (value) => axisPrice(value, bars.digits) } });
  view.candles.setData(bars.candles());
}

// Only what changed: the bar that was open and those after it.
export function updateData(view, fromIndex) {
  const { bars } = view;
  for (const item of bars.candles(fromIndex)) view.candles.update(item);
}

export function showNewest(view) {
  const visible = Math.min(view.narrow ? 84 : VISIBLE[view.bars.timeframe], Math.max(40, view.bars.count));
  const end = view.bars.count;
  view.chart.timeScale().setVisibleLogicalRange({ from: end - visible, to: end + (view.narrow ? 3 : visible * 0.075) });
}
