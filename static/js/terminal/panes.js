// The panes below the candles: which there are, which are shown, and their names and figures as text over the canvas.
import { BaselineSeries, HistogramSeries, LineSeries, LineType } from '../../vendor/lightweight-charts/lightweight-charts.standalone.production.mjs';
import { volatilityBars } from './derived.js';
import { signed, usd } from './format.js';

const KEPT = 'bh:panes';
const ABSENT = '— not reported';

const known = (value) => value !== null && value !== undefined;
const usual = (write) => (bars, name, index) => (known(bars.columns[name][index]) ? write(bars.columns[name][index]) : ABSENT);

export const PANES = [
  { name: 'open_interest', label: 'Open interest', unit: () => 'USD', write: usual(usd), tick: usd },
  { name: 'funding', label: 'Funding', unit: (bars) => `% ${bars.fundingPeriod}`, write: usual((value) => signed(value, 4, '%')), tick: (value) => signed(value, 3, '') },
  { name: 'cvd', label: 'Cumulative volume delta', unit: () => 'USD, from the first bar loaded', write: usual(signedUsd), tick: signedUsd },
  { name: 'volatility', label: 'Realised volatility', unit: ({ step, timeframe }) => `% a year, ${volatilityBars(step)} × ${timeframe}`, write: usual((value) => `${value.toFixed(0)}%`), tick: (value) => value.toFixed(0) },
  { name: 'liquidations', label: 'Liquidations', unit: () => 'USD, reported ones only', write: writeLiquidations, tick: (value) => usd(Math.abs(value)) },
];
const USUAL = ['open_interest', 'funding', 'cvd'];

function signedUsd(value) {
  return `${value < 0 ? '−' : ''}${usd(Math.abs(value))}`;
}

function writeLiquidations({ columns }, _, index) {
  const parts = [['longs', columns.liquidated_longs[index]], ['shorts', columns.liquidated_shorts[index]]];
  const told = parts.filter(([, value]) => known(value)).map(([side, value]) => `${side} ${usd(value)}`);
  return told.length ? told.join(' · ') : 'none reported';
}

function has({ columns }, name) {
  const parts = name === 'liquidations' ? [columns.liquidated_longs, columns.liquidated_shorts] : [columns[name]];
  return parts.some((column) => column.some(known));
}

export class Panes {
  constructor(view, box) {
    this.view = view;
    this.box = box;
    this.series = [];
    this.values = {};
  }

  // What the visitor chose, else the usual ones that anything is reported for; a phone has room for one.
  get shown() {
    const chosen = JSON.parse(localStorage.getItem(KEPT) ?? 'null');
    if (chosen) return PANES.filter(({ name }) => chosen.includes(name));
    const usual = this.view.narrow ? USUAL.slice(0, 1) : USUAL;
    return PANES.filter(({ name }) => usual.includes(name) && has(this.view.bars, name));
  }

  choose(names) {
    localStorage.setItem(KEPT, JSON.stringify(names));
    this.build();
  }

  build() {
    const { chart } = this.view;
    for (const { series } of this.series) chart.removeSeries(series);
    this.panes = this.shown;
    // On a phone each pane makes the stage taller, so that the candles keep their room.
    this.box.parentElement.style.setProperty('--panes', Math.max(1, this.panes.length));
    this.series = this.panes.flatMap((pane, i) => this.parts(pane).map(({ type, ...part }) => {
      const series = chart.addSeries(type, { ...this.options(pane, part), priceFormat: { type: 'custom', minMove: 0.0001, formatter: pane.tick } }, i + 1);
      series.priceScale().applyOptions({ scaleMargins: { top: 0.36, bottom: 0.14 }, entireTextOnly: true });
      return { pane, part, series };
    }));
    chart.panes().forEach((pane, i) => pane.setStretchFactor(i === 0 ? 6.6 : 1));
    this.setData();
  }

  parts({ name }) {
    if (name === 'funding') return [{ type: BaselineSeries, column: 'funding' }];
    if (name !== 'liquidations') return [{ type: LineSeries, column: name }];
    return [
      { type: HistogramSeries, column: 'liquidated_longs', side: 'longs', sign: -1 },
      { type: HistogramSeries, column: 'liquidated_shorts', side: 'shorts', sign: 1 },
    ];
  }

  options({ name }, { side }) {
    const { css } = this.view;
    const shared = { priceLineVisible: false, lastValueVisible: false };
    if (side) return { ...shared, color: css[side], base: 0 };
    const line = { ...shared, lineWidth: 1, crosshairMarkerRadius: 3 };
    if (name !== 'funding') return { ...line, color: css.text2 };
    return {
      ...line,
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

  restyle() {
    for (const { pane, part, series } of this.series) series.applyOptions(this.options(pane, part));
  }

  points({ column, sign }, from = 0) {
    return sign ? this.view.bars.bar(column, sign, from) : this.view.bars.line(column, from);
  }

  setData() {
    for (const { part, series } of this.series) series.setData(this.points(part));
    // The chart lays its panes out in a frame of its own.
    requestAnimationFrame(() => requestAnimationFrame(() => this.place()));
  }

  updateData(fromIndex) {
    for (const { part, series } of this.series) {
      for (const item of this.points(part, fromIndex)) series.update(item);
    }
  }

  place() {
    const origin = this.box.getBoundingClientRect().top;
    this.box.replaceChildren();
    this.values = {};
    this.view.chart.panes().slice(1).forEach((pane, i) => {
      const element = pane.getHTMLElement();
      if (element && this.panes[i]) this.box.append(this.label(this.panes[i], element.getBoundingClientRect().top - origin + 5));
    });
    this.show(this.view.bars.count - 1);
  }

  label(pane, top) {
    const label = document.createElement('div');
    label.className = 'pane-label';
    label.style.top = `${top}px`;
    const [name, unit, value] = ['b', 'span', 'em'].map((tag) => document.createElement(tag));
    name.textContent = pane.label;
    unit.textContent = pane.unit(this.view.bars);
    this.values[pane.name] = value;
    label.append(name, unit, value);
    return label;
  }

  show(index) {
    for (const { name, write } of this.panes ?? []) {
      if (this.values[name]) this.values[name].textContent = write(this.view.bars, name, index);
    }
  }

  // What each shown pane says of a bar, in words.
  describe(index) {
    return (this.panes ?? []).map(({ name, label, write }) => `${label} ${write(this.view.bars, name, index)}`).join(', ');
  }
}
