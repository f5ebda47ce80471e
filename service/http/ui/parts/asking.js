// A question about a camera, as its answer comes: which step it is at, the text so far, the answer.
import { html, nothing } from '../lit.js';
import { probability } from './probability.js';
import { sheetCell } from './player.js';
import { note } from './notice.js';
import { objectUrl } from './data_url.js';
import { answerOf, clock, count } from '../words.js';

const kSteps = [['queued', 'waiting'], ['encode', 'looking'], ['prefill', 'reading'], ['decode', 'answering']];
const yesNo = /^(is|are|was|were|does|do|did|has|have|had|can|will)\b.*\?$/i;
// What answers a question may have, by how it begins.
export const typeOf = words => (yesNo.test(words.trim()) ? 'yes_no' : /^how many\b/i.test(words.trim()) ? 'count:20' : undefined);

export function makeAsking({ api, redraw }) {
  let stage = '', text = '', answer = null, error = null, took = 0, sheet = '', stop = null;
  const forget = () => { if (sheet) URL.revokeObjectURL(sheet); sheet = ''; };
  const self = {
    get busy() { return stop !== null; }, get answer() { return answer; }, get error() { return error; }, get sheet() { return sheet; },
    // Asks; resolves to the answer's data, or null where it failed (`error` says why) or was stopped.
    async ask(body) {
      stop?.abort();
      const mine = stop = new AbortController(), begin = Date.now();
      forget();
      stage = 'queued'; text = ''; answer = null; error = null;
      redraw();
      try {
        await api.stream('POST', 'ask', body, (type, data) => {
          if (stop !== mine) return;
          if (type === 'stage') stage = data.stage;
          if (type === 'text') { stage = 'decode'; text += data.text; }
          if (type === 'answer') answer = data;
          redraw();
        }, mine.signal);
        if (answer?.sheet) sheet = objectUrl(answer.sheet);
        if (!answer && stop === mine) throw new Error('The service ended without an answer. Ask again.');
      } catch (fault) {
        if (stop !== mine || mine.signal.aborted) return null;
        error = fault;
      }
      took = (Date.now() - begin) / 1000;
      stop = null;
      redraw();
      return answer;
    },
    cancel() { stop?.abort(); stop = null; stage = ''; redraw(); },
    stop() { stop?.abort(); forget(); },
    // Sentence, how sure, what of.
    view({ threshold = 0.5, frames = true } = {}) {
      if (error) return html`<div class="answer" role="status">${note('bad', 'warn', error.message)}</div>`;
      if (stop) return html`<div class="answer" role="status"><p class="steps">${kSteps.map(([name, words], i) => html`<span class=${name === stage ? 'now' : i < kSteps.findIndex(([one]) => one === stage) ? 'done' : ''}>${words}</span>`)}</p>
        ${text ? html`<p class="said" dir="auto">${text}</p>` : nothing}</div>`;
      if (!answer) return html`<div role="status"></div>`;
      const { said, p, name, choices } = answerOf(answer), seen = answer.frames ?? [], short = said.length < 24;
      const when = seen.length ? `${count(seen.length, 'picture')}${seen.length > 1 ? `, ${clock(seen[0].time)} to ${clock(seen.at(-1).time)}` : ` of ${clock(seen[0].time)}`}, ` : '';
      return html`<div class="answer" role="status"><div class="line"><span class=${short ? 'word' : 'said'} dir="auto">${said || 'It said nothing.'}</span>${probability(p, { name, threshold: choices.length ? threshold : 0 })}<span class="small t3 num">${when}in ${took.toFixed(1)} s</span></div>
        ${frames && sheet && seen.length > 1 ? html`<div class="strip" role="img" aria-label=${`The ${seen.length} pictures that were asked about`}>${seen.map((_, i) => sheetCell(sheet, i, seen.length))}</div>` : nothing}</div>`;
    },
  };
  return self;
}
