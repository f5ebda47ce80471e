// Every camera: picture first, then what was said, then how sure.
import { html, nothing, repeat, live as same } from '../lit.js';
import { icon } from '../parts/icon.js';
import { probability } from '../parts/probability.js';
import { makePictures } from '../parts/live_picture.js';
import { empty } from '../parts/notice.js';
import { stakesTo } from '../parts/stakes.js';
import { needsSomebody } from '../frame.js';
import { ago, answerOf, asks, secondsSince, span, stamp } from '../words.js';

const isQuestion = task => task.task === 'question' || task.task === 'pair' || task.task === 'video_question';

// The newest answer of a task: of the live stream where it is newer than what the service was asked for.
export function newest(store, stream, task) {
  const event = store.answer(stream.name, task.name), last = task.last;
  if (event && (!last || Date.parse(event.time) >= Date.parse(last.time))) return { time: event.time, id: event.id, boxes: event.data.boxes, ...answerOf(event) };
  return last ? { time: last.time, id: last.event, boxes: last.boxes, ...answerOf({ task: task.task, prompt: task.prompt, ...last }) } : null;
}
// Why there is no picture, and what comes next.
export function trouble(state) {
  if (state.state === 'auth_failed') return ['key', 'The camera refuses the password', 'Not tried again, so that it is not locked'];
  if (state.reason === 'paused') return ['pause', 'Paused', 'Nobody looks until it goes on'];
  const since = state.since ? span(secondsSince(state.since)) : '';
  const next = state.next_try_in_ms !== undefined ? `${state.attempt > 1 ? `Try ${state.attempt} failed, the next` : 'The next try'} comes ${state.next_try_in_ms < 1500 ? 'at once' : `after ${span(state.next_try_in_ms / 1000)}`}` : state.reason ?? '';
  const words = { connecting: `Connecting for ${since}`, ended: 'It is at its end', unreadable: 'What it sends cannot be read', crashed: `Its process failed ${since} ago`, removed: 'It was removed' };
  return [state.state === 'connecting' ? null : 'off', words[state.state] ?? `No picture for ${since}`, state.state === 'unreadable' ? state.reason ?? next : next];
}

export function page(context) {
  const { api, store, redraw } = context;
  let words = '', show = 'all';
  const pictures = makePictures({ api, redraw, every: 1000 });

  function rowsOf(stream) {
    const answers = stream.tasks.map(task => ({ task, answer: newest(store, stream, task) }));
    const first = answers.find(one => !isQuestion(one.task)) ?? null;
    const question = answers.find(one => isQuestion(one.task) && one.answer) ?? answers.find(one => isQuestion(one.task));
    return { first, question, answers };
  }
  const fits = (stream, { answers }) => {
    const text = `${stream.name} ${answers.map(one => one.answer?.said ?? '').join(' ')}`.toLowerCase();
    if (words && !text.includes(words.toLowerCase())) return false;
    if (show === 'yes') return answers.some(one => ['yes', 'true'].includes(one.answer?.said));
    return show === 'all' || needsSomebody(stream) || store.alerts(stream.name).length > 0;
  };
  function answered({ task, answer }, question) {
    if (!answer) return html`<span class="q">${asks(task)}</span><span class="t3 none">no answer yet</span>`;
    const when = html`<time class="num" title=${stamp(answer.time)}>${ago(answer.time, context.now())}</time>`;
    return html`<span class="q">${question ? html`<b>${answer.said}</b> ` : nothing}${asks(task)} ${when}</span>${answer.p === null ? html`<span></span>` : probability(answer.p, { name: answer.name, threshold: question ? task.threshold ?? 0.5 : 0 })}`;
  }
  function tile(stream) {
    const { first, question } = rowsOf(stream), state = stream.state ?? {}, online = state.state === 'online', alerts = store.alerts(stream.name);
    const lead = first ?? question, said = lead?.answer?.said;
    const [sign, why, next] = online ? [] : trouble(state), age = pictures.age(stream.name);
    return html`<article class=${alerts.length ? 'tile alert' : 'tile'} aria-label=${stream.name}>
      <a class=${online && !store.awaySince ? 'pic' : 'pic stale'} href=${`#/camera/${encodeURIComponent(stream.name)}`}>
        ${pictures.picture(stream.name, said ? `${stream.name}: ${said.slice(0, 200)}` : stream.name)}
        ${alerts.length ? html`<span class="badge">${icon('bell')}<span class="cut">${alerts[0].data.text || alerts[0].data.rule}${alerts[0].data.change === 'confirmed' ? ', confirmed' : ''}, ${span(secondsSince(alerts[0].data.since ?? alerts[0].time, context.now()))}</span></span>` : nothing}
        ${online ? nothing : html`<span class="mid">${sign ? icon(sign) : stakesTo(Math.min(15, stream.counts?.frames ?? 0))}<p>${why}</p><small class="num">${next}</small></span>`}
        <span class="scrim"><span class="cut">${stream.name}</span>${online && age !== null ? html`<span class="age num" title="Age of the picture">${age < 60 ? `${age.toFixed(1)} s` : span(age)}</span>` : nothing}</span>
      </a>
      <p class=${online ? 'said' : 'said t3'} dir="auto">${said ?? (online ? 'Collecting its first frames' : nothing)}</p>
      <div class="ask">${lead ? answered(question ?? first, !!question) : nothing}</div></article>`;
  }
  const segment = (value, label) => html`<label><input type="radio" name="show" value=${value} .checked=${same(show === value)} @change=${() => { show = value; redraw(); }}>${label}</label>`;
  const clear = () => { words = ''; show = 'all'; redraw(); };

  function view() {
    const streams = store.streams;
    if (streams && streams.length === 0) {
      return html`<div class="head"><h1 id="title">Wall</h1></div>${empty('No camera yet', context.may('edit') ? 'Its picture and what happens in it appear here.' : 'Whoever may edit adds one.',
        context.may('edit') ? html`<a class="btn first" href="#/first">Add the first camera</a>` : nothing)}`;
    }
    const some = (streams ?? []).filter(stream => fits(stream, rowsOf(stream)));
    const need = (streams ?? []).filter(stream => needsSomebody(stream) || store.alerts(stream.name).length).length;
    const all = streams?.length ?? 0;
    const told = some.length < all ? `${some.length} of ${all} cameras` : `${all} ${all === 1 ? 'camera' : 'cameras'}${need ? `, ${need} ${need === 1 ? 'needs' : 'need'} you` : ''}`;
    return html`<div class="head"><h1 id="title">Wall</h1><span class="sub small" role="status">${streams ? told : 'Asking for the cameras'}</span>
      <div class="tools"><div class="search">${icon('search')}<label class="vh" for="wall-q">Filter cameras</label><input class="in" id="wall-q" type="search" placeholder="Camera or words" .value=${same(words)} @input=${event => { words = event.target.value; redraw(); }}></div>
        <fieldset class="seg"><legend class="vh">Show</legend>${segment('all', 'All')}${segment('yes', 'Yes now')}${segment('trouble', 'Needs you')}</fieldset>
        <button class="btn icon" aria-label="Full screen" title="Full screen (F)" @click=${() => (document.fullscreenElement ? document.exitFullscreen() : document.getElementById('main').requestFullscreen())}>${icon('full')}</button></div></div>
      <div class="wall">${repeat(some, stream => stream.name, tile)}</div>
      ${streams && !some.length ? html`<p class="t2">No camera matches. <button class="btn" @click=${clear}>Show all</button></p>` : nothing}`;
  }
  return { title: 'Wall', view, stop: () => pictures.stop() };
}
