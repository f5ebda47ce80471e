// A day or an hour of a camera: how many answers, which with an alert, when there was no picture; a slider reads out each moment.
import { html, svg, nothing, live as same } from '../../lit.js';
import { probability } from '../../parts/probability.js';
import { answerOf, asks, clock, count, stamp } from '../../words.js';

const kSpans = { day: { hours: 24, bins: 144, word: 'Last 24 hours' }, hour: { hours: 1, bins: 60, word: 'Last hour' } };
const kAgain = 20_000, kReadAfter = 200;

export function makeDay({ context, name }) {
  const { api, redraw, now } = context;
  let span = 'day', data = null, fault = null, chosen = null, read = null, timer = 0, readTimer = 0, stopped = false;

  async function load() {
    clearTimeout(timer);
    const { hours, bins } = kSpans[span], to = now();
    try {
      const got = await api.get('timeline', { stream: name, from: new Date(to - hours * 3.6e6).toISOString(), to: new Date(to).toISOString(), bins });
      const mine = got.streams.find(one => one.name === name) ?? got.streams[0] ?? { answers: [], alerts: [], states: [] };
      data = { from: Date.parse(got.from), to: Date.parse(got.to), bins: got.bins, ...mine };
      fault = null;
      if (chosen === null) choose(lastWithAnswers(), false);
    } catch (error) { fault = error; }
    redraw();
    if (!stopped) timer = setTimeout(load, kAgain);
  }
  const lastWithAnswers = () => Math.max(0, data.answers.findLastIndex(n => n > 0));
  const timeOf = bin => data.from + (data.to - data.from) * bin / data.bins;
  const stateAt = time => data.states.find(one => Date.parse(one.from) <= time && (!one.to || Date.parse(one.to) > time));
  function choose(bin, draw = true) {
    chosen = bin;
    clearTimeout(readTimer);
    readTimer = setTimeout(async () => {
      const from = timeOf(bin), to = timeOf(bin + 1);
      try {
        const got = await api.get('events', { stream: name, kind: 'answer', from: new Date(from).toISOString(), to: new Date(to).toISOString(), limit: 1 });
        if (chosen === bin) read = got.events[0]?.event ?? null;
      } catch { read = null; }
      redraw();
    }, kReadAfter);
    if (draw) redraw();
  }
  function plot() {
    const top = Math.max(1, ...data.answers), width = data.bins, at = (x, y, w, h, kind) => svg`<rect class=${kind} x=${x} y=${y} width=${w} height=${h}></rect>`;
    const line = data.states.map(one => {
      const x = Math.max(0, (Date.parse(one.from) - data.from) / (data.to - data.from) * width), end = Math.min(width, ((one.to ? Date.parse(one.to) : data.to) - data.from) / (data.to - data.from) * width);
      return at(x, 54, Math.max(0.3, end - x), 4, one.state === 'online' ? 'g-base' : one.state === 'connecting' ? 'g-quiet' : 'g-warn');
    });
    return html`<svg viewBox=${`0 0 ${width} 60`} preserveAspectRatio="none" aria-hidden="true">
      ${data.answers.map((n, i) => { const h = n ? Math.max(1.5, n / top * 46) : 0; return n ? at(i + 0.15, 50 - h, 0.7, h, data.alerts[i] ? 'g-acc' : 'g-quiet') : nothing; })}
      ${line}${svg`<line class="g-line" x1="0" x2=${width} y1="50.5" y2="50.5"></line>`}
      ${chosen === null ? nothing : svg`<line class="g-text" x1=${chosen + 0.5} x2=${chosen + 0.5} y1="0" y2="60"></line>`}</svg>`;
  }
  function reading() {
    const from = timeOf(chosen), n = data.answers[chosen] ?? 0, alerts = data.alerts[chosen] ?? 0, state = stateAt(from);
    const { said, p, name: which } = answerOf(read);
    const words = read ? said : state && state.state !== 'online' ? `no picture, ${state.state}` : 'no answer then';
    return { label: `${clock(from).slice(0, 5)}, ${count(n, 'answer')}${alerts ? `, ${count(alerts, 'alert')}` : ''}, ${words.slice(0, 120)}`,
      view: html`<div class="read"><span class="pic">${read?.data.view || read?.data.frames_stored ? html`<img src=${api.url(`events/${read.id}/view.jpg`)} alt="" width="96" height="54" loading="lazy">` : nothing}</span><span class="num t3" title=${stamp(from)}>${clock(from).slice(0, 5)}<br>${count(n, 'answer')}</span>
        <span class="said" dir="auto">${read ? html`<a href=${`#/event/${read.id}`}>${words}</a> <span class="q">${asks({ task: read.data.task, prompt: read.data.prompt, name: '' })}</span>` : html`<span class="t3">${words}</span>`}</span>${probability(p, { name: which })}</div>` };
  }
  const axis = () => { const { hours } = kSpans[span]; return Array.from({ length: 9 }, (_, i) => clock(data.from + hours * 3.6e6 * i / 8).slice(0, 5)); };
  const key = (kind, words) => html`<span><svg viewBox="0 0 1 1" aria-hidden="true"><rect class=${kind} width="1" height="1"></rect></svg>${words}</span>`;

  load();
  return {
    stop() { stopped = true; clearTimeout(timer); clearTimeout(readTimer); },
    view() {
      const choice = (value, label) => html`<label><input type="radio" name="span" .checked=${same(span === value)} @change=${() => { span = value; chosen = null; read = null; load(); }}>${label}</label>`;
      const now = data && chosen !== null ? reading() : null;
      return html`<div class="panel day"><div class="panel-head"><h2>${kSpans[span].word}</h2><span class="keyed">${key('g-acc', 'answers with an alert')}${key('g-quiet', 'answers')}${key('g-warn', 'no picture')}</span>
          <fieldset class="seg end"><legend class="vh">Span</legend>${choice('day', 'Day')}${choice('hour', 'Hour')}</fieldset></div>
        ${data ? html`<div class="plot">${plot()}<input type="range" min="0" max=${data.bins - 1} .value=${same(String(chosen ?? 0))} aria-label="Time of day" aria-valuetext=${now?.label ?? nothing} @input=${event => choose(Number(event.target.value))}></div>
          <div class="axis num" aria-hidden="true">${axis().map(text => html`<span>${text}</span>`)}</div>${now?.view ?? nothing}`
      : html`<p class="t3" role="status">${fault ? fault.message : 'Reading what was stored'}</p>`}</div>`;
    },
  };
}
