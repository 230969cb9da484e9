// What the visitor may choose of the chart beyond its layers: panes, the price axis, the ends of the colour scale, hues.
import { usdTick } from './format.js';

// The scale's ends move in steps of a quarter of a doubling.
const PER_OCTAVE = 4;
const YEAR = 31536000;

export class Menus {
  constructor(view, root, on) {
    this.view = view;
    this.root = root;
    this.on = on;
    this.sliders = { floor: root.querySelector('#scale-floor'), ceiling: root.querySelector('#scale-ceiling') };
    for (const menu of root.querySelectorAll('[popover]')) menu.addEventListener('beforetoggle', () => this.place(menu));
    this.listenPanes();
    this.listenScale();
  }

  // Below its button, and within the window.
  place(menu) {
    const button = this.root.querySelector(`[popovertarget="${menu.id}"]`).getBoundingClientRect();
    menu.style.top = `${button.bottom + 4}px`;
    menu.style.left = `${Math.max(8, Math.min(button.left, window.innerWidth - 268))}px`;
    if (menu.id === 'panes-menu') this.showPanes();
  }

  get boxes() {
    return [...this.root.querySelectorAll('[data-pane]')];
  }

  showPanes() {
    const shown = this.on.panes().shown.map(({ name }) => name);
    for (const box of this.boxes) box.checked = shown.includes(box.dataset.pane);
  }

  listenPanes() {
    for (const box of this.boxes) {
      box.addEventListener('change', () => {
        this.on.panes().choose(this.boxes.filter(({ checked }) => checked).map(({ dataset }) => dataset.pane));
        this.on.laid();
      });
    }
  }

  listenScale() {
    const part = (name) => this.root.querySelector(`#${name}`);
    const hue = part('scale-hue');
    hue.checked = document.documentElement.dataset.hue === 'one';
    part('scale-log').addEventListener('change', ({ target }) => {
      this.on.log(target.checked);
      this.on.laid();
    });
    hue.addEventListener('change', () => this.setHue(hue.checked));
    for (const slider of Object.values(this.sliders)) slider.addEventListener('input', () => this.slide(slider));
    part('scale-reset').addEventListener('click', () => this.setRange(null));
  }

  setHue(isOne) {
    document.documentElement.dataset.hue = isOne ? 'one' : 'two';
    document.cookie = `hue=${isOne ? 'one' : 'two'}; path=/; max-age=${YEAR}; samesite=lax`;
    this.on.colours();
  }

  slide(moved) {
    const { floor, ceiling } = this.sliders;
    // One end pushes the other: the scale keeps at least one doubling.
    if (moved === floor && Number(ceiling.value) < Number(floor.value) + PER_OCTAVE) ceiling.value = Number(floor.value) + PER_OCTAVE;
    if (moved === ceiling && Number(floor.value) > Number(ceiling.value) - PER_OCTAVE) floor.value = Number(ceiling.value) - PER_OCTAVE;
    this.setRange({ floor: this.amount(floor), ceiling: this.amount(ceiling) });
  }

  amount(slider) {
    return this.view.grid.heat.code_floor_usd * 2 ** (Number(slider.value) / PER_OCTAVE);
  }

  setRange(range) {
    this.view.ownRange = range;
    this.on.colours();
  }

  // The sliders follow the scale in use; a map must be there for them to mean anything.
  show() {
    const { grid, range, ownRange } = this.view;
    for (const [name, slider] of Object.entries(this.sliders)) {
      slider.disabled = !grid;
      if (!grid) continue;
      if (!ownRange) slider.value = String(Math.round(PER_OCTAVE * Math.log2(range[name] / grid.heat.code_floor_usd)));
      slider.setAttribute('aria-valuetext', usdTick(range[name]));
      this.root.querySelector(`#scale-${name}-text`).textContent = usdTick(range[name]);
    }
    document.querySelector('#own-scale').hidden = !ownRange;
  }
}
