// What lies under the crosshair, as text: for the pointer, for the keyboard, and after a pause for screen readers.
import { usdOfCode } from './colour.js';
import { moment, price, usd, usdRange } from './format.js';
import { distance, place } from './reading.js';

const SPEAK_AFTER_MS = 350;
const CLASS_NAMES = ['narrow', 'medium', 'wide'];

function element(tag, text, className) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (className) node.className = className;
  return node;
}

// As it is read: a blank between parts that only a style sets apart.
const words = (box) => [...box.childNodes].map(({ textContent }) => textContent.trim()).filter(Boolean).join(' ');

export class Readout {
  // A phone has room for a line of each above the chart; the rest stands below it.
  constructor(view, { bar, heat, more, spoken }) {
    Object.assign(this, { view, bar, heat, more, spoken });
    this.timer = 0;
  }

  idle() {
    this.showBar(this.view.bars.count - 1);
    const hint = this.view.narrow ? 'Touch and hold to read a level' : 'Hover, or focus the chart and use arrow keys, to read a level';
    this.tell([element('span', this.view.grid ? hint : 'No estimate for this instrument yet')]);
  }

  tell(lead, rest = []) {
    const { narrow } = this.view;
    this.heat.replaceChildren(...lead, ...(narrow ? [] : rest));
    this.more.replaceChildren(...(narrow ? rest : []));
    this.more.hidden = !narrow || rest.length === 0;
  }

  showBar(index) {
    const { bars, narrow } = this.view;
    const { open, high, low, close, volume } = bars.columns;
    const parts = [element('b', moment(bars.time(index)))];
    if (close[index] === null || close[index] === undefined) parts.push(element('span', ' no bar stored'));
    else {
      const figures = narrow ? [['C', close]] : [['O', open], ['H', high], ['L', low], ['C', close]];
      for (const [name, column] of figures) parts.push(element('i', name), document.createTextNode(price(column[index], bars.digits)));
      if (!narrow) parts.push(element('i', 'Vol'), document.createTextNode(usd(volume[index])));
    }
    this.bar.replaceChildren(...parts);
  }

  show(index, level) {
    const clamped = Math.max(0, Math.min(this.view.bars.count - 1, index));
    this.showBar(clamped);
    if (level === null || !this.view.grid) return;
    this.tell(...this.describe(clamped, level));
  }

  // What is estimated at a level, and what else there is to say of it.
  describe(index, level) {
    const { bars, narrow } = this.view;
    const found = this.estimate(index, level);
    const said = this.conditions(index)?.words.join(', ') ?? '';
    const lead = [document.createTextNode('At '), element('b', price(level, bars.digits))];
    if (found === null) return [[...lead, document.createTextNode(' · no estimate for this column')], said ? [element('span', narrow ? said : `: ${said}`)] : []];
    const missing = this.missing(index);
    const rest = [missing === null ? '' : `partial: without ${missing}`, said].filter(Boolean).map((words_) => element('span', words_, 'said'));
    rest.push(...this.around(level));
    if (found.amount === 0) return [[...lead, document.createTextNode(' · no estimate above the floor')], rest];
    lead.unshift(element('span', '', `dot dot-${found.side}`));
    lead.push(document.createTextNode(` · est. ${found.side} `), element('b', usd(found.amount)), document.createTextNode(narrow ? '' : ' per 0.1%'));
    if (found.interval) {
      const width = CLASS_NAMES[found.bands.widthClass(found.side, found.away)];
      lead.push(element('span', `${narrow ? '80%:' : '80% interval'} ${usdRange(...found.interval)}, ${width}`, 'said'));
    }
    return [lead, rest];
  }

  // Seen from the newest close, whichever bar is under the crosshair, on a line of its own.
  around(level) {
    const { bars, grid, touches, levels, leverage, narrow } = this.view;
    const horizons = narrow ? ['24h'] : ['4h', '24h', '3d', '7d'];
    const chance = touches.describe(level, bars.close(bars.count - 1), horizons);
    const parts = [distance(level, bars), chance, place(level, levels), leverage.describe(grid.bin(level)), this.venues()];
    return [element('span', `From the newest close: ${parts.filter(Boolean).join(' · ')}`, 'around')];
  }

  // Whose levels these are: one venue's, or for a pair the shares within 10 % of the price.
  venues() {
    const rows = [...document.querySelectorAll('#members [data-venue-share]')].map(({ dataset }) => dataset.venueShare);
    return rows.length ? `venues within ±10%: ${rows.slice(0, 3).join(', ')}` : '';
  }

  // Who is missing from the column that a bar shows.
  missing(index) {
    return this.view.bars.absences.at(this.endOf(index))?.missing ?? null;
  }

  // What is unusual about it.
  conditions(index) {
    return this.view.bars.conditions.at(this.endOf(index));
  }

  // The end of the column that a bar shows: its last one that is drawn.
  endOf(index) {
    const { bars, grid } = this.view;
    return Math.min(bars.time(index) + bars.step, grid.drawnThrough);
  }

  // The estimate of the column under the crosshair; null where nothing is stored.
  estimate(index, level) {
    const { bars, grid, tiles } = this.view;
    const bands = this.view.bands.with(this.conditions(index));
    const finest = grid.levelFor(bars.step);
    const column = grid.columnAt(finest, bars.time(index), bars.step);
    if (column < grid.firstColumn(finest)) return null;
    const code = tiles.code(finest, Math.floor(grid.position(level) / grid.heat.levels[finest].factor), column);
    if (code === null || code === 255) return null;
    const close = bars.close(index);
    const side = level > close ? 'shorts' : 'longs';
    const away = Math.abs(level / close - 1) * 100;
    const amount = code === 0 ? 0 : usdOfCode(code, grid.heat.code_floor_usd);
    return { side, away, amount, bands, interval: bands.interval(side, away, amount) };
  }

  // Speak once the crosshair rests.
  announce() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.spoken.textContent = [this.bar, this.heat, this.more].map(words).filter(Boolean).join('. ');
    }, SPEAK_AFTER_MS);
  }
}
