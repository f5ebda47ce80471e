// The journal as people read it: narrowed by words, camera, task, time and P; judged in place; new ones wait at the top.
import { html, nothing, repeat } from '../lit.js';
import { count } from '../words.js';
import { icon } from '../parts/icon.js';
import { empty, note } from '../parts/notice.js';
import { makePlayer } from '../parts/player.js';
import { eventRow } from '../parts/event_row.js';
import { described, groupOf, kindOf, picturesOf } from '../parts/event_kind.js';
import { certainWords } from '../parts/certain.js';
import { judge, keep, pressed } from '../parts/verdict.js';
import { copyLink } from '../parts/link.js';
import { addressOf, asked, belongs, filterForm, filterOf, narrowed } from './events/filters.js';
import { makePreview } from './events/preview.js';

const PAGE = 40, TYPING_MS = 250;

export function page(context) {
  const { api, redraw, store, live } = context;
  let filter = filterOf(context.route.query), rows = null, next = null, error = null, fresh = 0, asking = 0, busy = false, fault = '';
  let selected = null, fixing = null, opened = false, timer = 0, playing = null, calibration = null;
  const gone = new Set(), seen = new Set();
  const preview = makePreview({ api, store, redraw, link: event => copyLink(context, event), like });
  const find = id => rows?.find(entry => entry.event.id === id);

  async function load(more = false) {
    const mine = ++asking;
    busy = true;
    redraw();
    try {
      const answer = await api.get('events', { ...asked(filter, context.now()), limit: PAGE, before: more ? next : null });
      if (mine !== asking) return;
      rows = more ? [...rows, ...answer.events] : answer.events;
      [next, error, busy] = [answer.next ?? null, null, false];
      if (!more) { fresh = 0; if (!find(selected)) selected = fixing = null; }
    } catch (problem) {
      if (mine !== asking) return;
      [error, busy] = [problem, false];
    }
    redraw();
  }

  function change(part, late = false) {
    filter = { ...filter, ...part };
    clearTimeout(timer);
    timer = setTimeout(() => context.replace(addressOf(filter)), late ? TYPING_MS : 0);  // which calls moved()
    redraw();
  }

  async function act(entry, what) {
    fault = '';
    try { await what(); } catch (problem) { fault = problem.message; context.say(problem.message); }
    redraw();
  }
  const onJudge = (entry, right) => act(entry, async () => {
    await judge(api, entry, pressed(entry, right));
    fixing = entry.verdict?.right === false ? entry.event.id : null;
    if (fixing) afterDrawing(() => rowOf(entry.event.id)?.querySelector('.fix input, .fix button')?.focus());
    context.say(entry.verdict ? (entry.verdict.right ? 'Judged right' : 'Judged wrong. What would be right?') : 'Verdict taken back');
  });
  const onFix = (entry, text) => act(entry, async () => {
    await judge(api, entry, { right: false, text });
    fixing = null;
    context.say('Correction saved');
    rowOf(entry.event.id)?.querySelector('.said a')?.focus();
  });
  const onKeep = entry => act(entry, async () => { await keep(api, entry, !entry.kept); context.say(entry.kept ? 'Kept' : 'No longer kept'); });
  function like(entry) { change({ like: entry.event.id }); }

  const rowOf = id => document.querySelector(`.ev[data-id="${CSS.escape(id)}"]`);
  function enter(entry, pointed = false) {
    const what = described(entry.event), { id } = entry.event;
    if (playing?.id !== id) {
      playing?.player.stop(true);
      playing = null;
      if (what.pictures > 2 && !gone.has(id)) {
        playing = { id, player: makePlayer({ redraw, src: api.url(`events/${encodeURIComponent(picturesOf(entry.event))}/sheet.jpg`), count: what.pictures, start: what.pictures - 1 }) };
        playing.player.play();
      }
    }
    if (!pointed || !document.activeElement?.closest('.fix')) selected = id;
    redraw();
  }
  function leave(entry) {
    if (playing?.id !== entry.event.id) return;
    playing.player.stop(true);
    playing = null;
    redraw();
  }
  function step(by) {
    const all = (rows ?? []).filter(entry => kindOf(entry.event) !== 'state');
    const to = all[Math.min(all.length - 1, Math.max(0, all.findIndex(entry => entry.event.id === selected) + by))];
    rowOf(to?.event.id ?? '')?.querySelector('.said a')?.focus();
  }
  const play = () => (playing ? playing.player.on ? playing.player.stop() : playing.player.play(true) : preview.toggle());
  const onSpace = e => { if (e.key === ' ' && e.target.matches('.said a')) { e.preventDefault(); play(); } };
  const onSelected = action => () => { const entry = find(selected); if (entry && kindOf(entry.event) === 'answer' && context.may('ask')) action(entry); };

  const afterDrawing = action => requestAnimationFrame(() => requestAnimationFrame(action));
  async function showNew() {
    seen.clear();
    await load();
    afterDrawing(() => { scrollTo(0, 0); document.querySelector('.ev .said a')?.focus({ preventScroll: true }); });
  }
  const off = live.on(entry => {
    if (!rows || filter.like || entry.position <= (rows[0]?.position ?? 0) || seen.has(entry.position) || !belongs(filter, entry.event, entry.type, context.now())) return;
    seen.add(entry.position);
    fresh++;
    redraw();
  });
  load();
  api.get('calibration').then(answer => { calibration = answer; redraw(); }, () => {});

  function list() {
    const lent = { api, store, now: context.now(), may: context.may('ask'), selected, fixing, gone: id => gone.has(id), playing: id => (playing?.id === id ? playing.player : null),
      enter, leave, onJudge, onFix, onKeep, onLike: like, onGone: entry => { gone.add(entry.event.id); redraw(); } };
    let group = '';
    return repeat(rows, entry => entry.event.id, entry => {
      const name = filter.like ? '' : groupOf(entry.event.time, lent.now), head = name !== group;
      group = name;
      return html`${head ? html`<h2 class="group">${name}</h2>` : nothing}${eventRow(entry, lent)}`;
    });
  }

  function nothingFound() {
    if (filter.like) return empty('Nothing is like it yet', 'Events are compared by what the model saw in their pictures, not by words.', html`<button class="btn" @click=${() => change({ like: '' })}>Show all events</button>`);
    if (!narrowed(filter)) return empty('No events yet', 'What the cameras say appears here, newest first. The first answer comes some seconds after a camera is added.', html`<a class="btn" href="#/first">Add a camera</a>`);
    return empty(filter.text ? `No event says “${filter.text}”` : 'No event matches',
      filter.text ? 'The model writes in its own words, and only they are searched: what stands in a picture and was never said cannot be found by words.' : filter.p ? 'Only answers with a probability of their own have one to compare: yes or no, choices, pairs, alerts.' : 'Other cameras, tasks or times may have some.',
      html`<button class="btn" @click=${() => change(filterOf(new URLSearchParams()))}>Show all events</button>`);
  }

  function body() {
    if (error && !rows) return note('bad', 'off', html`<p><strong>Events cannot be shown.</strong> <span dir="auto">${error.message}</span></p>`);
    if (!rows) return html`<p class="t2" role="status">Reading the journal</p>`;
    return html`<div class="ev-cols"><div id="ev-list" aria-busy=${String(busy)} @keydown=${onSpace}>
        ${error || fault ? note('bad', 'warn', html`<p dir="auto">${error?.message ?? fault}</p>`) : nothing}
        ${fresh ? html`<button class="btn newbar" @click=${showNew}>${fresh} new</button>` : nothing}
        ${rows.length ? list() : next ? nothing : nothingFound()}
        ${next ? html`<p class="more"><button class="btn wide" ?disabled=${busy} @click=${() => load(true)}>Show older ones</button></p>` : nothing}</div>
      <aside class="peek panel player" aria-label="Preview">${preview.view(find(selected), { gone: gone.has(selected), certain: what => (what.name === 'mean P' ? 'Captions are not calibrated.' : calibration ? certainWords(calibration) : '') })}</aside></div>`;
  }

  return {
    title: 'Events',
    view() {
      const journal = store.status?.journal;
      return html`<div class="head"><h1 id="title">Events</h1><span class="sub small num" role="status">${rows ? `${rows.length}${next ? ' newest' : ''} shown${journal ? ` of ${count(journal.events, 'event')}` : ''}` : ''}</span>
          ${context.may('edit') ? html`<div class="tools"><a class="btn" download="examples.jsonl" href=${api.url('examples.jsonl')} title="Judged answers as training lines">${icon('save')}<span>Verdicts</span></a></div>` : nothing}</div>
        ${filterForm(filter, store.streams, opened, { change, open: () => { opened = !opened; redraw(); } })}
        ${filter.like ? html`<p class="row wrap small t2 likebar">${icon('like')}<span>Most alike first, by what the model saw. Words cannot search pictures: PaliGemma has no text side for that.</span><button class="btn end" @click=${() => change({ like: '' })}>Show all</button></p>` : nothing}
        ${body()}`;
    },
    keys: { j: () => step(1), k: () => step(-1), y: onSelected(entry => onJudge(entry, true)), n: onSelected(entry => onJudge(entry, false)), s: onSelected(onKeep),
      m: onSelected(like), ' ': play, '/': () => document.getElementById('ev-q').focus() },
    moved(route) { filter = filterOf(route.query); load(); return true; },
    stop() { off(); clearTimeout(timer); asking++; preview.stop(); playing?.player.stop(); },
  };
}
