// Zones as boxes whose outline tells the state: living ones solid, with a tick where price came, swept ones dashed and
// crossed, expired and merged ones dotted. Tags stand at the right edge and make room for each other.
import { Layer } from './layer.js';
import { usd, usdRange } from './format.js';

const TAG_GAP = 19;
const DASHES = { swept: [4, 3], expired: [1.5, 3], merged: [1.5, 3] };
const NARROW = 520;

// Zones by their number. An answer tells only of those that lived in its span, so what is known already stays.
export class ZoneBook {
  constructor() {
    this.byId = new Map();
  }

  replace(zones) {
    this.byId.clear();
    this.add(zones);
  }

  add(zones) {
    for (const zone of zones) this.byId.set(zone.id, zone);
  }

  // The newest answer knows every zone that lives: one that it leaves out is gone.
  update(zones) {
    const told = new Set(zones.map((zone) => zone.id));
    for (const [id, { ended_ms: ended }] of this.byId) {
      if (ended === null && !told.has(id)) this.byId.delete(id);
    }
    this.add(zones);
  }

  // Those that ended first, so that living ones lie on top.
  get all() {
    return [...this.byId.values()].sort((a, b) => (a.ended_ms === null) - (b.ended_ms === null) || a.id - b.id);
  }
}

export class ZoneLayer extends Layer {
  constructor(view) {
    super(view, 'top');
    this.boxes = [];
  }

  paint(target) {
    this.boxes = [];
    if (!this.view.layers.zones) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => this.draw(context, mediaSize.width, mediaSize.height));
  }

  draw(context, width, height) {
    const tags = [];
    for (const zone of this.view.zones.all) {
      const box = this.box(zone, width, height);
      if (!box) continue;
      this.boxes.push(box);
      this.outline(context, box);
      if (!box.ended) tags.push({ zone, y: (box.top + box.bottom) / 2, colour: box.colour });
    }
    this.placeTags(tags, height);
    for (const tag of tags) this.tag(context, tag, width);
  }

  box(zone, width, height) {
    const { bars, css } = this.view;
    const ended = zone.ended_ms !== null;
    const from = this.x(Math.max(0, Math.min(bars.count - 1, bars.index(zone.born_ms))));
    const to = ended ? this.x(Math.max(0, Math.min(bars.count - 1, bars.index(zone.ended_ms)))) : width;
    const top = this.y(zone.high);
    const bottom = this.y(zone.low);
    if (from === null || to === null || top === null || bottom === null) return null;
    if (to < 0 || from > width || bottom < 0 || top > height) return null;
    return {
      zone,
      ended,
      left: Math.round(Math.max(-4, from)) + 0.5,
      right: Math.round(Math.min(width + 4, to)) + 0.5,
      top: Math.round(top) + 0.5,
      bottom: Math.round(bottom) + 0.5,
      colour: zone.side === 1 ? css.longs : css.shorts,
      fill: zone.side === 1 ? css.longsFill : css.shortsFill,
    };
  }

  outline(context, box) {
    const { css } = this.view;
    const { zone, ended, left, right, top, bottom } = box;
    if (!ended) {
      context.fillStyle = box.fill;
      context.fillRect(left, top, right - left, bottom - top);
    }
    context.lineWidth = [this.view.selected, this.view.hovered].includes(zone.id) ? 2 : 1;
    context.strokeStyle = ended ? css.zoneEnded : box.colour;
    context.setLineDash(DASHES[zone.state] ?? []);
    context.beginPath();
    context.moveTo(right, top);
    context.lineTo(left, top);
    context.lineTo(left, bottom);
    context.lineTo(right, bottom);
    if (ended) context.lineTo(right, top);
    context.stroke();
    context.setLineDash([]);
    if (zone.tested_ms !== null) this.tick(context, box);
    if (zone.state === 'swept') this.cross(context, box);
  }

  // Where price first came into the band.
  tick(context, { zone, ended, colour, top, bottom }) {
    const x = this.x(this.view.bars.index(zone.tested_ms));
    if (x === null || x < 0) return;
    const edge = zone.side === 1 ? top : bottom;
    const away = zone.side === 1 ? -5 : 5;
    context.fillStyle = ended ? this.view.css.zoneEnded : colour;
    context.beginPath();
    context.moveTo(x - 3.5, edge + away);
    context.lineTo(x + 3.5, edge + away);
    context.lineTo(x, edge);
    context.fill();
  }

  cross(context, { right, top, bottom }) {
    const middle = (top + bottom) / 2;
    context.strokeStyle = this.view.css.zoneEnded;
    context.beginPath();
    context.moveTo(right - 3, middle - 3);
    context.lineTo(right + 3, middle + 3);
    context.moveTo(right + 3, middle - 3);
    context.lineTo(right - 3, middle + 3);
    context.stroke();
  }

  // Tags whose zones lie close move apart, first downwards, then back up from the lower edge.
  placeTags(tags, height) {
    tags.sort((a, b) => a.y - b.y);
    for (let i = 0; i < tags.length; i += 1) {
      const above = i ? tags[i - 1].y + TAG_GAP : 10;
      tags[i].y = Math.max(above, tags[i].y);
    }
    for (let i = tags.length - 1, below = height - 10; i >= 0; i -= 1, below = tags[i + 1].y - TAG_GAP) {
      tags[i].y = Math.min(below, tags[i].y);
    }
  }

  tag(context, { zone, y, colour }, width) {
    const { css, font } = this.view;
    const name = { text: zone.label, font: font(10.5, 600), colour };
    const amount = { text: usd(zone.usd), font: font(10.5, 600), colour: css.text1 };
    const interval = usdRange(zone.usd_low, zone.usd_high);
    // Where there is no room for both, the interval says more than its middle.
    const parts = width >= NARROW
      ? [name, amount, { text: interval.slice(1), font: font(10.5, 400), colour: css.text2 }]
      : [name, { text: interval, font: font(10.5, 400), colour: css.text1 }];
    for (const part of parts) {
      context.font = part.font;
      part.width = context.measureText(part.text).width;
    }
    const total = parts.reduce((sum, part) => sum + part.width, 6 * parts.length + 6);
    let x = Math.round(width - total - (width < NARROW ? 3 : 6)) + 0.5;
    context.fillStyle = css.tag;
    context.strokeStyle = colour;
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(x, Math.round(y - 8.5) + 0.5, Math.round(total), 17, 3);
    context.fill();
    context.globalAlpha = 0.55;
    context.stroke();
    context.globalAlpha = 1;
    context.textBaseline = 'middle';
    x += 6;
    for (const part of parts) {
      context.font = part.font;
      context.fillStyle = part.colour;
      context.fillText(part.text, x, y + 1);
      x += part.width + 6;
    }
  }

  // The zone under a point, if any.
  at(x, y) {
    return this.boxes.findLast((box) => x >= box.left && x <= box.right && y >= box.top - 2 && y <= box.bottom + 2)?.zone ?? null;
  }
}
