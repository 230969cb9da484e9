// The venues of a pair: how old the data of each is goes on being counted, and none looks live that may be old.
import { age } from './format.js';
import { judge } from './freshness.js';

export function showMembers(clock) {
  for (const row of document.querySelectorAll('#members [data-as-of-ms]')) {
    const [asOf, staleAfter] = [Number(row.dataset.asOfMs), Number(row.dataset.staleAfterMs)];
    const [now, isDoubtful] = [clock.now(), clock.doubtfulSince !== null];
    const kind = judge({ now, asOf, allowance: staleAfter - asOf, isDoubtful });
    const dot = row.querySelector('.dot');
    dot.classList.toggle('dot-ok', kind === 'live');
    dot.classList.toggle('dot-warn', kind === 'stale');
    row.querySelector('[data-state]').textContent = kind === 'stale' ? 'In, its data is late' : 'In';
    row.querySelector('[data-age]').textContent = age(now - asOf);
  }
}
