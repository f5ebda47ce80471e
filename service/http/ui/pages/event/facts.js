// How an answer came about: what was asked, by which model, of which pictures, by which clock, what was lost, how long it took.
import { html, svg, nothing } from '../../lit.js';
import { clock, count, p2, span, stamp } from '../../words.js';
import { probability } from '../../parts/probability.js';
import { beginning } from '../../parts/said.js';
import { lostWords } from '../../parts/event_kind.js';

const CLOCKS = { rtcp: 'the camera’s own', arrival: 'ours, when the picture came', file: 'the film’s start and its time in it' };
const STAGES = [['wait', 'a5'], ['encode', 'a4'], ['prefill', 'a2'], ['decode', '']];
const number = n => Number(n).toLocaleString('en');
const row = (name, value) => (value === nothing || value === '' ? nothing : html`<dt>${name}</dt><dd class="num">${value}</dd>`);

function pictures({ window: made, frames }) {
  const parts = [made.count === 1 ? '1' : `${made.count} over ${span((made.span_ms ?? 0) / 1000)}`];
  if (made.policy) parts.push(`chosen ${made.policy}`);
  if (made.tokens) parts.push(`${number(made.tokens_kept)} of ${number(made.tokens)} tokens read`);
  if (made.degraded_from) parts.push(`${made.degraded_from} were meant, load made it ${made.count}`);
  if (made.one_of) parts.push(`one window of ${made.one_of}, load left the others out`);
  if (made.tiled) parts.push('too short for a window: they begin again');
  const damaged = frames.filter(frame => frame.corrupt).length;
  if (damaged) parts.push(`${damaged} damaged on the way`);
  return parts.join(', ');
}

function clocks(frames) {
  const sources = [...new Set(frames.map(frame => CLOCKS[frame.time_source] ?? frame.time_source))].join(' and ');
  const off = Math.max(...frames.map(frame => frame.time_uncertainty_ms ?? -1));
  return off < 0 ? sources : `${sources}, ± ${number(off)} ms`;
}

function lost(data) {
  const skipped = data.skipped_before ? `${count(data.skipped_before, 'window')} skipped, nothing moved` : '';
  return [lostWords(data.dropped_before) || 'none', skipped].filter(Boolean).join('; ');
}

function timing(times) {
  const whole = STAGES.reduce((sum, [name]) => sum + times[name], 0) || 1;
  let x = 0;
  const bars = STAGES.map(([name, shade]) => {
    const width = times[name] / whole * 100, bar = svg`<rect class="g-acc ${shade}" x=${x} width=${Math.max(0, width - 0.5)} height="1"/>`;
    x += width;
    return bar;
  });
  return html`<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>
    <span class="t3">${STAGES.map(([name]) => `${name} ${number(times[name])}`).join(' · ')} ms</span>`;
}

const model = ({ id, precision, notice }, adapter) => html`<span class="mono">${id}</span>, ${precision}${adapter ? html`, with <span class="mono">${adapter.id}</span>` : nothing}
  ${notice ? html` <span class="tag" title=${notice}>demo</span>` : nothing}`;

function decoding(how) {
  if (!how) return nothing;
  const more = [how.temperature !== undefined ? `temperature ${how.temperature}` : '', how.seed !== undefined ? `seed ${how.seed}` : ''].filter(Boolean);
  return [how.method, `at most ${how.max_new_tokens} tokens`, ...more].join(', ');
}

export function answerFacts(event) {
  const { data } = event;
  return html`<div class="panel"><h2>How it came about</h2>
    ${data.choices?.length > 1 ? html`<ul class="choices" aria-label="What it chose among">${data.choices.map(one => html`<li><span dir="auto">${one.text}</span>${probability(one.p, { name: `P(${one.text})` })}</li>`)}</ul>` : nothing}
    <dl class="facts-list">
      <dt>Asked</dt><dd class="mono" dir="auto">${data.prompt}</dd>
      ${data.boxes?.length ? html`<dt>Said</dt><dd class="mono" dir="auto">${beginning(data.text)}</dd>` : nothing}
      ${row('Model', model(data.model, data.adapter))}
      ${row('Chosen', decoding(data.decoding))}
      ${row('Pictures', pictures(data))}
      ${row('Clock', clocks(data.frames))}
      ${row('First seen', html`<span title=${stamp(data.frames[0].time)}>${clock(data.frames[0].time)}</span>`)}
      ${row('Lost before', lost(data))}
      ${row('Took', timing(data.timing_ms))}
      ${data.unchanged_since ? row('Not asked', `the pictures mean what they meant at ${clock(data.unchanged_since)}, whose answer this is`) : nothing}
      ${data.boxes?.length ? row('Found', data.boxes.map(one => `${one.label}${one.confidence === undefined ? '' : ` ${p2(one.confidence)}`}`).join(', ')) : nothing}
      ${data.malformed?.length ? row('Not read', count(data.malformed.length, 'part') + ' that should be boxes and are none') : nothing}
      ${data.redacted ? row('Hidden', data.redacted.join(', ')) : nothing}
      ${data.truncated ? row('Shortened', 'to keep the event below 64 KiB') : nothing}
      ${event.journaled === false ? row('Stored', 'after it went out') : nothing}
      <dt>Id</dt><dd class="mono">${event.id}</dd>
    </dl></div>`;
}

export function otherFacts(event) {
  const { data } = event;
  return html`<div class="panel"><h2>How it came about</h2><dl class="facts-list">
    ${data.rule ? row('Rule', data.rule) : nothing}${data.severity ? row('Severity', data.severity) : nothing}
    ${data.change ? row('Change', data.change) : nothing}${data.check ? row('Second look', data.check) : nothing}
    ${data.state ? row('State', data.state) : nothing}${data.reason ? row('Why', html`<span dir="auto">${data.reason}</span>`) : nothing}
    ${data.attempt ? row('Try', data.attempt) : nothing}
    ${row('Since', stamp(data.since))}<dt>Id</dt><dd class="mono">${event.id}</dd></dl></div>`;
}
