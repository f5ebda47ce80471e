import { html, svg, nothing } from '../lit.js';
import { p2 } from '../words.js';

// A bar and a number: in the accent's colour from its threshold on, which is a tick; quiet below it, or where there is none.
export function probability(p, { name = 'P', threshold = 0, big = false } = {}) {
  if (p === null || p === undefined) return nothing;
  const title = `${name} ${p2(p)}, ${threshold ? `threshold ${p2(threshold)}` : 'no threshold'}`;
  return html`<div class=${big ? 'p p-big' : 'p'} title=${title}>
    <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
      <rect class=${threshold && p >= threshold ? 'fill' : 'fill low'} width=${Math.max(0, Math.min(1, p)) * 100} height="1"></rect>
      ${threshold ? svg`<rect class="tick" x=${threshold * 100 - 0.5} width="1" height="1"></rect>` : nothing}
    </svg><b class="num"><span class="vh">${name} </span>${p2(p)}</b></div>`;
}
