// What is stored, how much of the room it takes, and since when.
import { html, nothing } from '../../lit.js';
import { note } from '../../parts/notice.js';
import { ago, bytes, stamp } from '../../words.js';

const row = (name, value) => (value === null || value === undefined ? nothing : html`<dt>${name}</dt><dd>${value}</dd>`);

export function journalPanel(status, now) {
  if (!status) return html`<div class="panel w4"><h2>Journal</h2><p class="small t2">Asking the service.</p></div>`;
  const { journal } = status;
  if (!journal) return html`<div class="panel w4 stack-s"><h2>Journal</h2><p><strong>Nothing is stored.</strong></p>
    <p class="small t2">The configuration says <span class="mono">journal: off</span>: cameras are watched and events go out, but none can be looked up, judged or asked again.</p></div>`;
  const part = journal.limit_bytes ? Math.min(1, journal.bytes / journal.limit_bytes) : 0;
  return html`<div class="panel w4 stack-s"><h2>Journal</h2>
    <p class="figure num">${bytes(journal.bytes)} ${journal.limit_bytes ? html`<small>of ${bytes(journal.limit_bytes)}</small>` : nothing}</p>
    ${journal.limit_bytes ? html`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect class="g-acc" width=${part * 100} height="1"></rect></svg>` : nothing}
    <dl class="facts-list num">
      ${row('Events', Number(journal.events).toLocaleString('en'))}
      ${row('Oldest', journal.oldest ? html`<time datetime=${journal.oldest} title=${stamp(journal.oldest)}>${ago(journal.oldest, now)}</time>` : null)}
      ${row('Disk', journal.free_bytes !== undefined ? `${bytes(journal.free_bytes)} free` : null)}
      ${row('Waiting', journal.waiting ? html`<span class="tag warn">${journal.waiting} not stored yet</span>` : 'none, all is stored')}
      ${row('Lost', journal.lost ? html`<span class="tag bad">${journal.lost.toLocaleString('en')} events</span>` : null)}</dl>
    ${journal.storing === false ? note('warn', 'warn', html`<strong>It does not store.</strong> <span dir="auto">${journal.reason ?? ''}</span>`) : nothing}
    <p class="small t3">When it is full, the oldest frames go first, kept ones never.</p></div>`;
}
