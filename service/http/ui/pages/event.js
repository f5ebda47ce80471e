// One event: its frames, what was said and how sure, whether it was right, how it came about, what came before and after.
import { html, nothing } from '../lit.js';
import { ago, clock, stamp } from '../words.js';
import { icon } from '../parts/icon.js';
import { note } from '../parts/notice.js';
import { probability } from '../parts/probability.js';
import { described, kindOf } from '../parts/event_kind.js';
import { certainWords } from '../parts/certain.js';
import { beginning, saidText } from '../parts/said.js';
import { correction, judge, keep, pressed } from '../parts/verdict.js';
import { copyLink } from '../parts/link.js';
import { answerFacts, otherFacts } from './event/facts.js';
import { makeFrames } from './event/frames.js';

const AROUND = 2;

export function page(context) {
  const { api, redraw, store } = context, id = context.route.parts[0] ?? '';
  let entry = null, error = null, fault = '', what = null, frames = null, open = false, fixing = false, older = [], newer = [], evidence = [], calibration = null, replay = null, left = false;
  const path = `events/${encodeURIComponent(id)}`;

  async function load() {
    try {
      entry = await api.get(path);
      what = described(entry.event);
      if (what.pictures) frames = makeFrames({ api, redraw, event: entry.event });
      redraw();
      const { event, position } = entry, same = { stream: event.subject, task: event.data.name ?? event.data.task ?? event.data.rule, kind: what.kind, limit: AROUND };
      const found = await Promise.all([api.get('events', { ...same, before: position }), api.get('events', { ...same, after: position }), what.kind === 'answer' ? api.get('calibration', { stream: event.subject, task: same.task }).catch(() => null) : null]);
      [older, newer, calibration] = [found[0].events, found[1].events, found[2]];
      evidence = (await Promise.all((event.data.evidence ?? []).map(of => api.get(`events/${of}`).catch(() => null)))).filter(Boolean);
    } catch (problem) {
      if (!entry) error = problem;
    }
    if (!left) redraw();
  }
  async function act(action, words) {
    fault = '';
    try { await action(); context.say(words()); } catch (problem) { fault = problem.message; }
    redraw();
  }
  const onJudge = right => act(async () => { await judge(api, entry, pressed(entry, right)); fixing = entry.verdict?.right === false; },
    () => (entry.verdict ? (entry.verdict.right ? 'Judged right' : 'Judged wrong') : 'Verdict taken back'));
  const onFix = text => act(async () => { await judge(api, entry, { right: false, text }); fixing = false; }, () => 'Correction saved');
  const onKeep = () => act(() => keep(api, entry, !entry.kept), () => (entry.kept ? 'Kept' : 'No longer kept'));
  async function again() {
    replay = { asking: true };
    redraw();
    try { replay = await api.send('POST', `${path}/replay`, undefined, { timeout: 0 }); } catch (problem) { replay = { fault: problem.message }; }
    redraw();
  }
  const go = neighbour => neighbour && context.go(`#/event/${neighbour.event.id}`);

  function head() {
    const { event } = entry, step = (words, key, neighbour, symbol) => html`<button type="button" aria-label="${words} event" title="${words} (${key})" ?disabled=${!neighbour} @click=${() => go(neighbour)}>${icon(symbol)}</button>`;
    return html`<div class="head"><a class="btn bare icon" href="#/events" aria-label="Back to events">${icon('prev')}</a>
      <span class="sub small num">${event.subject}${what.task ? ` · ${what.task}` : ''} · <time datetime=${event.time}>${stamp(event.time)}</time>, ${ago(event.time, context.now())}</span>
      <div class="tools"><a class="btn bare" href="#/event/${event.id}" aria-label="Copy link" @click=${e => { e.preventDefault(); copyLink(context, event); }}>${icon('link')}<span class="long">Copy link</span></a>
        <a class="btn bare" href=${api.url(path)} download="${event.id}.json" aria-label="Download the event">${icon('save')}<span class="long">Download</span></a>
        <span class="seg">${step('Newer', 'K', newer[0], 'prev')}${step('Older', 'J', older[0], 'next')}</span></div></div>`;
  }

  function verdict() {
    const right = entry.verdict?.right;
    if (!context.may('ask')) return right === undefined ? nothing : html`<p class="small t2">Judged ${right ? 'right' : 'wrong'}.</p>`;
    return html`<fieldset><legend class="vh">Was it right?</legend><div class="verdict">
        <button type="button" class="btn" aria-pressed=${String(right === true)} title="Right (Y)" @click=${() => onJudge(true)}>${icon('right')}Right</button>
        <button type="button" class="btn" aria-pressed=${String(right === false)} title="Wrong (N)" @click=${() => onJudge(false)}>${icon('wrong')}Wrong</button>
        <button type="button" class="btn icon" aria-pressed=${String(entry.kept)} aria-label="Keep for good" title="Keep (S)" @click=${onKeep}>${icon('keep')}</button></div></fieldset>
      ${right === false ? html`<div class="really"><p class="small t2">What really happened</p>${entry.verdict.text && !fixing
        ? html`<p class="corr" dir="auto"><b>${entry.verdict.text}</b> <button type="button" class="btn bare" @click=${() => { fixing = true; redraw(); }}>Change</button></p>` : correction(entry, onFix)}
        <p class="small t3">Becomes a line of <span class="mono">examples.jsonl</span>, from which <span class="mono">palisade transfer</span> makes a checkpoint.</p></div>` : nothing}`;
  }

  function saying() {
    return html`<div class="panel stack">
      <div><h1 id="title" class="vh">${beginning(what.said || 'Nothing said', 120)}</h1>${saidText(what.said || 'nothing said', { open, kind: 'lead', toggle: () => { open = !open; redraw(); } })}
        ${what.why ? html`<p class="t2" dir="auto">${what.why}</p>` : nothing}${what.question ? html`<p class="t2" dir="auto">${what.question}</p>` : nothing}</div>
      ${what.p === null || what.p === undefined ? nothing : html`<div><div class="row small t3"><span>${what.name === 'mean P' ? 'Mean P of a word' : what.name}</span>
          <span class="end">${what.kind !== 'answer' ? '' : what.name === 'mean P' ? 'not calibrated' : calibration ? certainWords(calibration) : ''}</span></div>
        ${probability(what.p, { name: what.name, threshold: described(entry.event, store).threshold, big: true })}</div>`}
      ${fault ? note('bad', 'warn', html`<p dir="auto">${fault}</p>`) : nothing}
      ${what.kind === 'answer' ? verdict() : nothing}
      ${what.kind === 'answer' ? html`<a class="btn bare" href="#/events?like=${entry.event.id}">${icon('like')}More like this</a>` : nothing}</div>`;
  }

  function replaying() {
    if (what.kind !== 'answer' || !context.may('ask')) return nothing;
    const said = replay?.asking ? 'Asking' : replay?.fault ? html`<strong>It cannot be asked again.</strong> <span dir="auto">${replay.fault}</span>`
      : replay ? html`<strong>${replay.result[0].toUpperCase() + replay.result.slice(1)}.</strong> <span dir="auto">${replay.message ?? ''}</span>
        ${replay.text !== undefined && replay.text !== what.said ? html`<br>Now: <b dir="auto">${beginning(replay.text)}</b>` : nothing}` : 'Same pictures, same prompt, same model. Tells whether the answer still holds.';
    return html`<div class="panel"><div class="row"><h2>Replay</h2><button type="button" class="btn end" ?disabled=${replay?.asking} @click=${again}>${icon('replay')}Ask again</button></div><p class="small t2" role="status">${said}</p></div>`;
  }

  function line(one) {
    const its = described(one.event, store), here = one === entry;
    return html`<li aria-current=${here ? 'true' : nothing}><time class="num" title=${stamp(one.event.time)}>${clock(one.event.time)}</time>
      ${here ? html`<strong>this one</strong>` : html`<a href="#/event/${one.event.id}" dir="auto">${beginning(its.said, 160) || 'nothing said'}</a>`}
      ${its.p === null || its.p === undefined ? html`<span></span>` : probability(its.p, { name: its.name, threshold: its.threshold })}</li>`;
  }
  function around() {
    const all = [...older].reverse().concat([entry], newer);
    if (all.length < 2 && !evidence.length) return nothing;
    return html`<div class="panel around">${evidence.length ? html`<h2>What it stands on</h2><ol class="answers">${evidence.map(line)}</ol>` : nothing}
      ${all.length > 1 ? html`<h2>Before and after</h2><ol class="answers">${all.map(line)}</ol>` : nothing}</div>`;
  }

  load();
  return {
    get title() { return entry ? beginning(what.said || 'Event', 60) : 'Event'; },
    view() {
      if (error) return html`<div class="head"><a class="btn bare icon" href="#/events" aria-label="Back to events">${icon('prev')}</a><h1 id="title">Event</h1></div>
        ${note('bad', 'warn', html`<p><strong>${error.status === 404 ? 'There is no such event.' : 'The event cannot be shown.'}</strong> <span dir="auto">${error.message}</span></p>`)}`;
      if (!entry) return html`<div class="head"><h1 id="title">Event</h1><span class="sub" role="status">Reading</span></div>`;
      const proof = entry.event.data.evidence?.at(-1);
      return html`${head()}<div class="cols late"><div>${frames ? frames.view() : proof ? html`<a class="pic" href="#/event/${proof}"><img src=${api.url(`events/${encodeURIComponent(proof)}/view.jpg`)} alt="Picture of the answer that it stands on"></a>` : nothing}</div>
        <div class="stack">${saying()}${what.kind === 'answer' ? answerFacts(entry.event) : otherFacts(entry.event)}${replaying()}
          ${frames ? html`<p class="row wrap small">Pictures: <a href=${api.url(`${path}/view.jpg`)} download="${id}.jpg">newest</a><a href=${api.url(`${path}/sheet.jpg`)} download="${id}-frames.jpg">all frames</a></p>` : nothing}</div>
        ${around()}</div>`;
    },
    keys: { j: () => go(older[0]), k: () => go(newer[0]), ' ': () => frames?.toggle(), ArrowLeft: () => frames?.step(-1), ArrowRight: () => frames?.step(1),
      y: () => answered(() => onJudge(true)), n: () => answered(() => onJudge(false)), s: () => answered(onKeep), m: () => answered(() => context.go(`#/events?like=${id}`)) },
    moved: () => false,
    stop() { left = true; frames?.stop(); },
  };
  function answered(action) { if (entry && kindOf(entry.event) === 'answer' && context.may('ask')) action(); }
}
