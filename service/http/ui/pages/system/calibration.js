// How sure the answers were against how often they were right, and a threshold dragged over the past week.
import { html, svg, nothing, live } from '../../lit.js';
import { p2 } from '../../words.js';
import { certainWords } from '../../parts/certain.js';

const X = p => 34 + p * 196, Y = right => 204 - right * 192;

// Half width of the interval within which the share of right ones lies in 95 of 100 cases (Agresti and Coull).
const margin = (right, of) => { const n = of + 4, p = (right + 2) / n; return 1.96 * Math.sqrt(p * (1 - p) / n); };

function reliability(bins) {
  const dots = bins.filter(bin => bin.judged > 0).map(bin => ({ said: bin.mean_p ?? (bin.from + bin.to) / 2, right: bin.confirmed / bin.judged, of: bin.judged, off: margin(bin.confirmed, bin.judged) }));
  const words = dots.map(dot => `said ${p2(dot.said)}, was so ${p2(dot.right)} of ${dot.of}`).join('; ');
  const lines = [0, 0.25, 0.5, 0.75, 1].map(v => svg`<line class="g-line" x1=${X(v)} x2=${X(v)} y1=${Y(0)} y2=${Y(1)}></line><line class="g-line" x1=${X(0)} x2=${X(1)} y1=${Y(v)} y2=${Y(v)}></line>`);
  const labels = [0, 0.5, 1].map(v => svg`<text x=${X(v)} y="220" text-anchor=${v === 1 ? 'end' : 'middle'}>${v.toFixed(1)}</text><text x="28" y=${Y(v) + 4} text-anchor="end">${v.toFixed(1)}</text>`);
  return html`<svg class="chart" viewBox="0 0 240 236" role="img" aria-label="Reliability: ${words || 'nothing judged yet'}">${lines}${labels}
    ${svg`<text x=${X(0.75)} y="234" text-anchor="middle">said</text><text x=${X(0) + 6} y=${Y(1) + 12}>was so</text><line class="g-edge g-dash" x1=${X(0)} y1=${Y(0)} x2=${X(1)} y2=${Y(1)}></line>
      <polyline class="g-accl" points=${dots.map(dot => `${X(dot.said)},${Y(dot.right)}`).join(' ')}></polyline>`}
    ${dots.map(dot => svg`<line class="g-accl" x1=${X(dot.said)} x2=${X(dot.said)} y1=${Y(Math.min(1, dot.right + dot.off))} y2=${Y(Math.max(0, dot.right - dot.off))}></line>
      <circle class="g-acc" cx=${X(dot.said)} cy=${Y(dot.right)} r=${2 + Math.min(8, Math.sqrt(dot.of) * 0.55)}><title>said ${p2(dot.said)}, was so ${p2(dot.right)}, ${dot.of} judged</title></circle>`)}</svg>`;
}

// One bar a bin of `bins`: it was so, it was not, not judged; those below the threshold pale.
function bars(histogram, bins, threshold) {
  const each = histogram.length / bins.length, all = bins.map((_, i) => histogram.slice(i * each, (i + 1) * each).reduce((sum, n) => sum + n, 0));
  const most = Math.max(1, ...all), width = 400 / bins.length;
  const rects = bins.map(({ from, judged, confirmed }, i) => {
    const dim = from < threshold - 1e-9 ? 'a5' : '';
    let y = 96;
    return [[confirmed, 'g-acc'], [judged - confirmed, 'g-bad'], [Math.max(0, all[i] - judged), 'g-base']].map(([value, shade]) => {
      const height = Math.min(1, value / most) * 88;
      y -= height;
      return value ? svg`<rect class="${shade} ${dim}" x=${i * width + 1} y=${y} width=${width - 2} height=${height}></rect>` : nothing;
    });
  });
  const x = threshold * 400;
  return html`<svg class="chart" viewBox="0 0 400 96" preserveAspectRatio="none" aria-hidden="true">${rects}${svg`<line class="g-text" x1=${x} x2=${x} y1="0" y2="96"></line><rect class="g-ink" x=${Math.min(393, Math.max(0, x - 3.5))} y="0" width="7" height="18" rx="2"></rect>`}</svg>`;
}

const key = (shade, words) => html`<span><svg viewBox="0 0 1 1" aria-hidden="true"><rect class=${shade} width="1" height="1"></rect></svg>${words}</span>`;

const DAYS = 30, STEP = 0.05;

export function makeCalibration({ api, redraw, store, holder, now }) {
  const only = holder.streams ?? [];  // a token of some cameras is told of one at a time
  let data = null, fault = '', stream = only[0] ?? '', task = '', threshold = 0.8, asked = 0;

  async function load() {
    const mine = ++asked;
    try { const answer = await api.get('calibration', { stream, task, from: `${DAYS}d` }); if (mine === asked) [data, fault] = [answer, '']; } catch (error) { if (mine === asked) fault = error.message; }
    if (mine === asked) redraw();
  }
  load();
  const choose = (name, now, all, set) => html`<label class="field"><span class="vh">${name}</span><select class="in" .value=${live(now)} @change=${e => { set(e.target.value); load(); }}>${all.map(([value, words]) => html`<option value=${value} ?selected=${value === now}>${words}</option>`)}</select></label>`;

  function content() {
    if (!data) return html`<p class="small t2">${fault || 'Reading what was judged'}</p>`;
    const { histogram, bins } = data, n = histogram.length, tenth = Math.ceil(threshold * 10 - 1e-6) / 10;
    const all = histogram.reduce((sum, value) => sum + value, 0), passing = histogram.reduce((sum, value, i) => (i / n >= threshold - 1e-9 ? sum + value : sum), 0);
    const age = store.status?.journal?.oldest ? (now() - Date.parse(store.status.journal.oldest)) / 864e5 : 0, daily = passing / Math.min(DAYS, age);
    const rate = age < 1 ? '' : daily >= 10 ? `, ${Math.round(daily).toLocaleString('en')} a day` : `, ${daily.toFixed(1)} a day`;
    const says = `${passing.toLocaleString('en')} of ${all.toLocaleString('en')} answers${rate}`, judged = tenth < 1 ? certainWords(data, tenth) : '';
    return html`<div class="cal"><figure>${reliability(bins)}</figure><div class="stack-s">
      <p class="lead num">${data.judged ? certainWords(data) : 'Nothing has been judged yet.'}</p>
      <p class="small t2">${data.judged ? 'On the dashed line it is as sure as it should be, below it surer than it should be.' : 'Say of some answers whether they are right, on the page Events, and this shows how far to trust P.'} Drag the threshold to see how many of the last ${DAYS} days would have passed.</p>
      <div class="thr">${bars(histogram, bins, threshold)}<input type="range" min="0" max="1" step=${STEP} .value=${live(String(threshold))} aria-label="Threshold" aria-valuetext="${p2(threshold)}, ${says}"
        @input=${e => { threshold = Number(e.target.value); redraw(); }}></div>
      <div class="row small t3 num" aria-hidden="true"><span>0.00</span><span class="end">P</span><span class="end">1.00</span></div>
      <p class="num" role="status"><strong>At ${p2(threshold)}: ${says}.</strong> ${judged}</p>
      <p class="keyed">${key('g-acc', 'it was so')}${key('g-bad', 'it was not')}${key('g-base', 'not judged')}</p></div></div>`;
  }
  return {
    stop() { asked++; },
    view() {
      const streams = store.streams ?? [], tasks = [...new Set(streams.filter(one => !stream || one.name === stream).flatMap(one => one.tasks.map(its => its.name)))].sort();
      return html`<div class="panel w8"><div class="panel-head"><h2>How sure, how often right</h2><div class="row end wrap">
          ${choose('Camera', stream, [...(only.length ? [] : [['', 'All cameras']]), ...streams.map(one => [one.name, one.name])], value => { stream = value; })}
          ${choose('Task', task, [['', 'All tasks'], ...tasks.map(name => [name, name])], value => { task = value; })}</div></div>${content()}</div>`;
    },
  };
}
