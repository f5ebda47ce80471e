import { html, svg } from '../lit.js';

// One stake a frame, the current one tall; at = -1: none.
export function stakes(current, count = 16) {
  return html`<svg class="stakes" viewBox=${`0 0 ${count * 10} 10`} preserveAspectRatio="none" aria-hidden="true">
    ${Array.from({ length: count }, (_, i) => svg`<line class=${i === current ? 'on' : ''} x1=${i * 10 + 5} x2=${i * 10 + 5} y1=${i === current ? 0 : 3} y2="10"></line>`)}</svg>`;
}
// As many as have come are lit, while one waits for the rest.
export function stakesTo(have, count = 16) {
  return html`<svg class="stakes" viewBox=${`0 0 ${count * 10} 10`} preserveAspectRatio="none" aria-hidden="true">
    ${Array.from({ length: count }, (_, i) => svg`<line class=${i < have ? 'on' : ''} x1=${i * 10 + 5} x2=${i * 10 + 5} y1=${i < have ? 0 : 3} y2="10"></line>`)}</svg>`;
}
