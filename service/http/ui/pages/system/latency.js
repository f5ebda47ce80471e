// From picture to answer, stage by stage: half are faster than the bar, 95 of 100 than the line.
import { html, svg } from '../../lit.js';

const STAGES = [['queued', 'Wait'], ['encode', 'Encode'], ['prefill', 'Prefill'], ['decode', 'Decode']];
const ms = seconds => Math.round(seconds * 1000).toLocaleString('en');

export function latencyPanel(status) {
  if (!status?.stages?.answers) return html`<div class="panel w4"><h2>From picture to answer</h2><p class="small t2">Nothing has been answered since the start.</p></div>`;
  const most = Math.max(...STAGES.map(([id]) => status.stages[id].p95), 1e-3), x = seconds => seconds / most * 98;
  return html`<div class="panel w4"><div class="panel-head"><h2>From picture to answer</h2><span class="end small t3">last ${status.stages.answers.toLocaleString('en')} answers</span></div>
    <div>${STAGES.map(([id, name]) => {
      const { p50, p95 } = status.stages[id];
      return html`<div class="stage"><span>${name}</span><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
        <rect class="g-acc" y="1" width=${Math.max(0.6, x(p50))} height="8"></rect>
        ${svg`<line class="g-text" x1=${x(p50)} x2=${x(p95)} y1="5" y2="5"></line><line class="g-text" x1=${x(p95)} x2=${x(p95)} y1="1.5" y2="8.5"></line>`}</svg>
        <span class="num n"><span class="vh">half within </span>${ms(p50)} <span class="t3"><span aria-hidden="true">/ </span><span class="vh">milliseconds, 95 of 100 within </span>${ms(p95)} ms</span></span></div>`;
    })}</div>
    <p class="small t3">Bar: half are faster. Line: 95 of 100 are.</p></div>`;
}
