// Volume by price of the bars in view, from the left edge; the bin with most of it is marked.
import { volumeProfile } from './derived.js';
import { Layer } from './layer.js';

const BINS = 72;
const SHARE = 0.13;
const WIDEST = 110;

export class ProfileLayer extends Layer {
  constructor(view) {
    super(view, 'normal');
    this.key = '';
    this.found = null;
  }

  paint(target) {
    if (!this.view.layers.profile) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => this.draw(context, mediaSize));
  }

  draw(context, { width, height }) {
    const profile = this.profile();
    if (!profile) return;
    const { css } = this.view;
    const across = Math.min(WIDEST, width * SHARE) / profile.largest;
    profile.bins.forEach((volume, i) => {
      const top = this.y(profile.floor + (i + 1) * profile.width);
      const bottom = this.y(profile.floor + i * profile.width);
      if (volume === 0 || top === null || bottom < 0 || top > height) return;
      context.globalAlpha = volume === profile.largest ? 0.85 : 0.32;
      context.fillStyle = css.structure;
      context.fillRect(0, top, volume * across, Math.max(1, bottom - top - 0.6));
    });
    context.globalAlpha = 1;
  }

  profile() {
    const { bars, chart, dataVersion } = this.view;
    const range = chart.timeScale().getVisibleLogicalRange();
    if (!range) return null;
    const from = Math.max(0, Math.ceil(range.from));
    const to = Math.min(bars.count, Math.floor(range.to) + 1);
    const key = [from, to, bars.start, bars.step, dataVersion].join();
    if (key !== this.key) {
      this.found = to > from ? volumeProfile(bars.columns, from, to, BINS) : null;
      this.key = key;
    }
    return this.found;
  }
}
