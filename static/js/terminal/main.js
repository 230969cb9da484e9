// The terminal page: puts the parts together. Until the chart stands, and wherever it can not, the server's picture does.
import { Freshness, ServerClock } from './freshness.js';
import { Live } from './live.js';
import { showMembers } from './members.js';

const root = document.querySelector('#terminal');
const status = document.querySelector('#fresh');
const clock = new ServerClock(Number(status.dataset.nowMs));
let app = null;
let live = null;
const freshness = new Freshness(status, clock, {
  onDoubt: () => live?.poll(),
  onLag: () => refresh(),
  onShow: () => showMembers(clock),
  isPast: () => Boolean(root.dataset.at),
});
freshness.start();

// The figures around the chart tell how far their data goes; they are read again after each swap.
const figures = () => freshness.seen('figures', Number(document.querySelector('#strip').dataset.asOfMs));
figures();
document.body.addEventListener('htmx:oobAfterSwap', figures);
// They are parts with a digest each, and those that are here already are not sent again.
let parts = '';
document.body.addEventListener('htmx:configRequest', ({ detail }) => {
  if (detail.elt.id === 'figures') detail.headers['X-Parts'] = parts;
});
document.body.addEventListener('htmx:afterRequest', ({ detail }) => {
  if (detail.elt.id === 'figures') parts = (detail.successful && detail.xhr.getResponseHeader('X-Parts')) || '';
});
root.addEventListener('bh:chart', ({ detail }) => freshness.seen('chart', detail));

// htmx listens for the event to fetch the page's figures; the chart fetches its own.
function refresh(tick = null) {
  document.body.dispatchEvent(new CustomEvent('bh:tick', { detail: tick }));
  app?.refresh();
}

function onTick(tick, isNew) {
  // The page was made before the first bar: there is nothing on it that could be filled, so it is made anew.
  if (!root.dataset.asOf && tick.as_of_ms !== null) {
    window.location.reload();
    return;
  }
  freshness.update(tick);
  // A page of a past moment stays as it is.
  if (isNew && !root.dataset.at) refresh(tick);
}

// Imported history changes only with another import; its page waits for nothing but a map that is still to be built.
if (status.dataset.kind !== 'history' || root.dataset.heatmap === 'none') {
  const { instrument, tickUrl, version } = root.dataset;
  live = new Live({ instrument, tickUrl, clock, version: Number(version), onTick });
  live.start();
}

const help = document.querySelector('#help');
document.querySelector('#help-open')?.addEventListener('click', () => help.showModal());

if (root.dataset.asOf) {
  try {
    // Only now: without the chart library all of this but the chart still works.
    const { startChart } = await import('./app.js');
    app = await startChart(root, help);
  } catch (error) {
    root.dataset.chart = 'none';
    document.querySelector('#chart-error').hidden = false;
    console.warn('The chart could not be started; the picture stays.', error);
  }
}
