// What the list of events is narrowed to: the address's query holds it, so that a search can be sent as a link.
import { html, nothing, live } from '../../lit.js';
import { icon } from '../../parts/icon.js';
import { p2 } from '../../words.js';

const TIMES = [['', 'Any time'], ['1h', 'Last hour'], ['24h', 'Last 24 hours'], ['yesterday', 'Yesterday'], ['7d', 'Last 7 days'], ['span', 'From … to …']];
const KINDS = [['', 'All tasks'], ['kind:answer', 'All answers'], ['kind:alert', 'Alerts'], ['kind:state', 'Camera states']];
const HOURS = { '1h': 1, '24h': 24, '7d': 168 };
const NONE = { text: '', stream: '', what: '', time: '', from: '', to: '', p: 0, like: '' };

export function filterOf(query) {
  const filter = { ...NONE };
  for (const key in NONE) if (query.get(key)) filter[key] = query.get(key);
  filter.p = Math.min(1, Math.max(0, Number(filter.p) || 0));
  return filter;
}

export function addressOf(filter) {
  const query = new URLSearchParams();
  for (const key in NONE) if (filter[key] && (key !== 'from' && key !== 'to' || filter.time === 'span')) query.set(key, filter[key]);
  const text = String(query);
  return text ? `#/events?${text}` : '#/events';
}

export const narrowed = filter => Object.keys(NONE).some(key => filter[key]);

// [from, to) in milliseconds; either may be null. Days are those of this browser's zone, "now" is the service's.
function span(filter, now) {
  if (HOURS[filter.time]) return [now - HOURS[filter.time] * 3600e3, null];
  if (filter.time === 'yesterday') {
    const today = new Date(now).setHours(0, 0, 0, 0);
    return [new Date(today - 12 * 3600e3).setHours(0, 0, 0, 0), today];
  }
  if (filter.time !== 'span') return [null, null];
  return [filter.from, filter.to].map(text => (text && Date.parse(text)) || null);
}

// As GET events takes it.
export function asked(filter, now) {
  const [from, to] = span(filter, now).map(ms => (ms === null ? null : new Date(ms).toISOString()));
  const [key, value] = filter.what.split(':');
  return { text: filter.text.trim().slice(0, 200), stream: filter.stream, like: filter.like, from, to, p_min: filter.p || null,
    kind: key === 'kind' ? value : null, task: key === 'task' ? value : null };
}

// Whether an event that has just come belongs to the list, as the service would say it.
export function belongs(filter, event, type, now) {
  const wanted = asked(filter, now), time = Date.parse(event.time), [from, to] = span(filter, now);
  if (wanted.stream && event.subject !== wanted.stream) return false;
  if (wanted.kind && type !== wanted.kind) return false;
  if (wanted.task && (event.data.name ?? event.data.task) !== wanted.task) return false;
  if ((from !== null && time < from) || (to !== null && time >= to)) return false;
  if (wanted.p_min && !(probabilityOf(event) >= wanted.p_min)) return false;
  const text = `${event.data.text ?? ''} ${event.data.state ?? ''} ${event.data.reason ?? ''}`.toLowerCase();
  return wanted.text.toLowerCase().split(/\s+/).every(word => text.includes(word));
}

function probabilityOf(event) {
  const choices = event.data.choices ?? [], yes = choices.find(one => one.text === 'yes' || one.text === 'true');
  return event.data.p ?? yes?.p ?? (choices.length ? Math.max(...choices.map(one => one.p)) : null);
}

const options = (all, chosen) => all.map(([value, words]) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`);

function select(name, all, chosen, change) {
  const known = all.some(([value]) => value === chosen) ? all : [...all, [chosen, chosen.replace(/^task:/, '')]];
  return html`<label class="field"><span class="vh">${name}</span>
    <select class="in" .value=${live(chosen)} @change=${e => change(e.target.value)}>${options(known, chosen)}</select></label>`;
}

// `change(part, late)`: `late` while one still types or drags.
export function filterForm(filter, streams, opened, { change, open }) {
  const names = [...new Set((streams ?? []).flatMap(stream => stream.tasks.map(task => task.name)))].sort();
  return html`<form class="filters" role="search" @submit=${e => { e.preventDefault(); change({}); }}>
    <div class="search">${icon('search')}<label class="vh" for="ev-q">Words the model said</label>
      <input class="in" id="ev-q" type="search" placeholder="Words the model said" maxlength="200" autocomplete="off"
        .value=${live(filter.text)} @input=${e => change({ text: e.target.value }, true)}><kbd aria-hidden="true">/</kbd></div>
    <button type="button" class="btn more-btn" aria-expanded=${String(opened)} aria-controls="filter-fields" @click=${open}>Filters</button>
    <div class="filter-fields" id="filter-fields">
      ${select('Camera', [['', 'All cameras'], ...(streams ?? []).map(stream => [stream.name, stream.name])], filter.stream, stream => change({ stream }))}
      ${select('Task', [...KINDS, ...names.map(name => [`task:${name}`, name])], filter.what, what => change({ what }))}
      ${select('Time', TIMES, filter.time, time => change({ time }))}
      <label class="field pmin"><span>P at least <output class="num">${p2(filter.p)}</output></span>
        <input type="range" min="0" max="1" step="0.01" .value=${live(String(filter.p))} aria-valuetext=${filter.p ? `${p2(filter.p)} and above` : 'any'}
          @input=${e => change({ p: Number(e.target.value) }, true)}></label>
      ${filter.time === 'span' ? [['from', 'From'], ['to', 'Until']].map(([key, words]) => html`<label class="field when"><span>${words}</span>
        <input class="in" type="datetime-local" step="1" .value=${live(filter[key])} @change=${e => change({ [key]: e.target.value })}></label>`) : nothing}
    </div></form>`;
}
