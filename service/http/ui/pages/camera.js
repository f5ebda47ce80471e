// One camera: its picture with what is known of it, a question about the last seconds, its day, and what it is asked.
import { html, nothing, live as same } from '../lit.js';
import { icon } from '../parts/icon.js';
import { at, made } from '../parts/at.js';
import { layers } from '../parts/layers.js';
import { maskCanvas } from '../parts/mask_canvas.js';
import { probability } from '../parts/probability.js';
import { makePictures } from '../parts/live_picture.js';
import { empty } from '../parts/notice.js';
import { makeAsking, typeOf } from '../parts/asking.js';
import { newest, trouble } from './wall.js';
import { makeEditing } from './camera/editing.js';
import { makePrompts } from './camera/prompts.js';
import { makeMasks } from './camera/masks.js';
import { makeDay } from './camera/day.js';
import { answerOf, clock, count, share, span, stamp, stateWord } from '../words.js';

const kQuestions = ['what moves?', 'did anything leave?', 'how many people are there?'];
const kTabs = [['answers', 'Answers', 'view'], ['prompts', 'Prompts', 'edit'], ['masks', 'Masks', 'edit']];
const kAnswers = 16;

export function page(context) {
  const { api, live, store, redraw, route } = context, name = route.parts[0] ?? '';
  const editable = context.may('edit');
  let tab = 'answers', answers = null, question = '', aspect = 16 / 9, leaving = false;
  const shown = new Set(['boxes', 'outlines', 'masks']);
  const pictures = makePictures({ api, redraw, every: 200 });
  const asking = makeAsking({ api, redraw });
  const editing = makeEditing({ api, name, redraw, say: context.say, store });
  const prompts = makePrompts({ context, name, editing }), masks = makeMasks({ context, editing }), day = makeDay({ context, name });
  if (editable) editing.load();

  api.get('events', { stream: name, kind: 'answer', limit: kAnswers }).then(got => { answers = [...(answers ?? []), ...got.events.map(row => row.event)]; redraw(); }, () => { answers ??= []; });
  const off = live.on(({ type, event }) => {
    if (event.subject !== name || type !== 'answer') return;
    answers = [event, ...(answers ?? [])].slice(0, kAnswers);
    redraw();
  });

  function ask(event) {
    event?.preventDefault();
    if (!question.trim()) return context.say('Write a question first.');
    const type = typeOf(question);
    asking.ask({ stream: name, last: '10s', prompt: question.trim(), sheet: true, ...(type ? { type } : {}) });
  }
  async function pause(stream) {
    await editing.save(settings => { if (settings.paused) delete settings.paused; else settings.paused = true; });
    if (editing.troubled) tab = 'prompts';
    redraw();
  }
  async function remove() { if (await editing.remove()) context.go('#/wall'); }

  function picture(stream) {
    const state = stream.state ?? {}, online = state.state === 'online', found = stream.tasks.map(task => newest(store, stream, task)).find(one => one?.boxes?.length);
    const boxes = found?.boxes ?? [], outlines = boxes.filter(one => one.mask?.counts), settings = editing.settings;
    const loaded = element => element.addEventListener('load', () => { const ratio = element.naturalWidth / element.naturalHeight; if (ratio > 0.3 && ratio < 4 && Math.abs(ratio - aspect) > 0.01 && element.src.startsWith('blob:')) { aspect = ratio; redraw(); } });
    const [sign, why, next] = online ? [] : trouble(state);
    const toggle = (layer, word, sign_, there) => (there ? html`<button class="btn" aria-pressed=${String(shown.has(layer))} @click=${() => { if (!shown.delete(layer)) shown.add(layer); redraw(); }}>${icon(sign_)}<span>${word}</span></button>` : nothing);
    return html`<div class="view"><div class=${online && !store.awaySince ? 'pic' : 'pic stale'} ${at({ aspectRatio: String(aspect) })} ${made(element => loaded(element.querySelector('img')))}>
        ${pictures.picture(name, newest(store, stream, stream.tasks[0] ?? {})?.said || `What ${name} sees`)}
        ${outlines.length && shown.has('outlines') ? maskCanvas(outlines.map(one => one.mask)) : nothing}
        ${layers({ boxes, masks: settings?.masks ?? [], regions: settings?.gate?.region ?? [], shown })}
        ${online ? nothing : html`<span class="mid">${sign ? icon(sign) : nothing}<p>${why}</p><small class="num">${next}</small></span>`}
        ${masks.over()}</div>
      <div class="layers">${toggle('boxes', 'Boxes', 'box', boxes.length)}${toggle('outlines', 'Outlines', 'outline', outlines.length)}${toggle('masks', 'Masks', 'mask', settings?.masks?.length)}${toggle('regions', 'Regions', 'full', settings?.gate?.region?.length)}</div></div>`;
  }
  function askPanel() {
    if (!context.may('ask')) return nothing;
    return html`<div class="panel"><form class="stack-s" @submit=${ask}><div class="ask-head"><label for="ask-in"><strong>Ask about the last 10 seconds</strong></label>
        <div class="chips">${kQuestions.map(words => html`<button type="button" class="chip" @click=${() => { question = words; ask(); }}>${words}</button>`)}</div></div>
      <div class="askbar"><input class="in" id="ask-in" maxlength="200" autocomplete="off" placeholder="is there a person?" .value=${same(question)} @input=${event => { question = event.target.value; }}><button class="btn first">Ask</button></div></form>${asking.view()}</div>`;
  }
  function answerList() {
    if (!answers) return html`<p class="t3">Reading its answers</p>`;
    if (!answers.length) return html`<p class="t2">No answer yet. The first one comes when its pictures have been collected and read.</p>`;
    return html`<ol class="answers">${answers.map(event => {
      const { said, question: asked, p, name: which } = answerOf(event);
      return html`<li><time class="num" title=${stamp(event.time)}>${clock(event.time)}</time><a href=${`#/event/${event.id}`} dir="auto">${asked ? html`<b>${said}</b> <span class="q">${asked}</span>` : said}</a>${p === null ? html`<span></span>` : probability(p, { name: which, threshold: event.data.choices?.length ? store.threshold(name, event.data.name ?? event.data.task) : 0 })}</li>`;
    })}</ol>`;
  }
  function key(event) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key], all = kTabs.filter(([, , scope]) => context.may(scope)).map(([id]) => id);
    if (!way) return;
    choose(all[(all.indexOf(tab) + way + all.length) % all.length]);
    requestAnimationFrame(() => requestAnimationFrame(() => document.getElementById(`tab-${tab}`)?.focus()));
  }
  function choose(next) { if (next !== 'masks') masks.leave(); tab = next; editing.forget(); redraw(); }
  function side() {
    return html`<div class="seg full" role="tablist" aria-label="Camera" @keydown=${key}>${kTabs.filter(([, , scope]) => context.may(scope)).map(([id, label]) => html`<button role="tab" id=${`tab-${id}`} aria-selected=${String(tab === id)} aria-controls="tab-panel" tabindex=${tab === id ? 0 : -1} @click=${() => choose(id)}>${label}</button>`)}</div>
      <div class=${tab === 'answers' ? 'panel' : 'panel stack'} id="tab-panel" role="tabpanel" aria-labelledby=${`tab-${tab}`}>${tab === 'answers' ? answerList() : tab === 'prompts' ? prompts.view() : masks.view()}</div>`;
  }
  function facts(stream) {
    const age = pictures.age(name), counts = stream.counts ?? {}, size = stream.state?.picture, load = store.capacity?.streams?.find(one => one.name === name)?.share;
    const took = answers?.find(event => event.data.timing_ms)?.data.timing_ms.total;
    const online = stream.state?.state === 'online';
    return html`<span class="sub small num" title=${`${count(counts.frames ?? 0, 'frame')} so far`}>${online ? `live${age === null ? '' : `, ${span(age)} old`}` : stream.state?.reason === 'paused' ? 'paused' : stateWord(stream.state?.state ?? '')}<span class="long">${size ? ` · ${size.width} × ${size.height}` : ''}${took ? ` · answers after ${span(took / 1000)}` : ''}${load !== undefined ? ` · ${share(load)} of the engine` : ''} · ${counts.lost || counts.dropped ? `${(counts.lost ?? 0) + (counts.dropped ?? 0)} windows lost` : 'none lost'}</span></span>`;
  }
  function view() {
    const stream = store.stream(name);
    if (!stream) return html`<div class="head"><h1 id="title">${name}</h1></div>${store.streams ? empty('There is no such camera', 'It was removed, or this token is for others.', html`<a class="btn first" href="#/wall">To the wall</a>`) : nothing}`;
    const paused = editing.settings?.paused === true;
    return html`<div class="head"><h1 id="title">${name}</h1>${facts(stream)}
      <div class="tools"><a class="btn bare" href=${`#/events?stream=${encodeURIComponent(name)}`}>${icon('events')}Its events</a>
        ${editable && editing.settings ? html`<button class="btn bare" aria-pressed=${String(paused)} ?disabled=${editing.busy} @click=${() => pause(stream)}>${icon(paused ? 'play' : 'pause')}${paused ? 'Go on' : 'Pause'}</button>
          ${leaving ? html`<button class="btn" ?disabled=${editing.busy} @click=${remove}>Remove ${name} for good</button><button class="btn bare" @click=${() => { leaving = false; redraw(); }}>Keep it</button>` : html`<button class="btn bare" @click=${() => { leaving = true; redraw(); }}>Remove</button>`}` : nothing}
        <button class="btn icon" aria-label="Full screen" title="Full screen (F)" @click=${() => (document.fullscreenElement ? document.exitFullscreen() : document.getElementById('main').requestFullscreen())}>${icon('full')}</button></div></div>
      ${leaving && editing.fault ? editing.view() : nothing}
      <div class="cols"><div>${picture(stream)}${askPanel()}${day.view()}</div><div>${side()}</div></div>`;
  }
  return {
    get title() { return name; }, view,
    stop() { off(); pictures.stop(); asking.stop(); prompts.stop(); day.stop(); },
  };
}
