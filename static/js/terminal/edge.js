// Left of the first bar: whether older ones are on their way, could not be fetched, or are not there.
import { Layer } from './layer.js';

const MARGIN = 6;

export class EdgeLayer extends Layer {
  constructor(view, requests) {
    super(view, 'bottom');
    this.requests = requests;
  }

  // The whole of it, and one word where there is no room.
  get words() {
    if (this.view.bars.reachedStart) return ['No older bars', ''];
    return this.requests.hasFailed ? ['Older bars could not be fetched', 'Not fetched'] : ['Loading older bars', 'Loading'];
  }

  paint(target) {
    const end = this.x(0);
    if (end === null || end <= 1) return;
    target.useMediaCoordinateSpace(({ context, mediaSize }) => this.draw(context, Math.min(end, mediaSize.width), mediaSize.height));
  }

  draw(context, width, height) {
    const { bars, css, font } = this.view;
    if (!bars.reachedStart) {
      context.fillStyle = css.awaited;
      context.fillRect(0, 0, width, height);
    }
    context.font = font(10, 400);
    const words = this.words.find((text) => context.measureText(text).width + 2 * MARGIN < width);
    if (!words) return;
    context.fillStyle = css.text2;
    context.textBaseline = 'bottom';
    context.textAlign = 'center';
    context.fillText(words, width / 2, height - MARGIN);
    context.textAlign = 'left';
  }
}
