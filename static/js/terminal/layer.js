// What every layer on the chart shares: a series primitive with one renderer. (Pane primitives ignore z-order.)
export class Layer {
  constructor(view, order) {
    this.view = view;
    const renderer = { draw: (target) => this.paint(target) };
    this.views = [{ zOrder: () => order, renderer: () => renderer }];
  }

  attached({ chart, series, requestUpdate }) {
    this.chart = chart;
    this.series = series;
    this.requestUpdate = requestUpdate;
  }

  detached() {}

  updateAllViews() {}

  paneViews() {
    return this.views;
  }

  x(index) {
    return this.chart.timeScale().logicalToCoordinate(index);
  }

  y(price) {
    return this.series.priceToCoordinate(price);
  }
}
