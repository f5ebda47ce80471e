import { html, svg, nothing } from '../lit.js';
import { share } from '../words.js';

// What of this machine is used, what this would take, what stays free; `used` is that of all others.
export function forecast({ used, share: wanted, fits = true, text = '' }) {
  const width = x => Math.max(0, Math.min(100, x * 100));
  const free = 1 - used - wanted;
  return html`<div class="forecast stack-s">
    <div class="row small"><strong class="num">${share(wanted)} of this machine</strong><span class="end t3 num">${free >= 0 ? `${share(free)} stays free` : `${share(-free)} too much`}</span></div>
    <svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect class="g-quiet" width=${width(used)} height="1"></rect>
      ${svg`<rect class=${fits ? 'g-acc' : 'g-bad'} x=${width(used) + 0.6} width=${width(wanted)} height="1"></rect>`}</svg>
    ${text ? html`<p class="small t3 num">${text}</p>` : nothing}</div>`;
}
