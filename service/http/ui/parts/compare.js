// Two pictures and a knife between them: a range over all of it, moved by mouse, finger and arrow keys.
import { html, live } from '../lit.js';
import { at as place } from './at.js';
import { icon } from './icon.js';

// `left`, `right`: {url, label, alt}; `shown`: how much of the left one is shown, 0 to 100.
export function compare({ left, right, shown, onMove }) {
  return html`<div class="compare">
    <img src=${right.url} alt="Right: ${right.alt}"><img class="top" src=${left.url} alt="Left: ${left.alt}" ${place({ clipPath: `inset(0 ${100 - shown}% 0 0)` })}>
    <span class="knife" ${place({ left: `${shown}%` })}><span>${icon('slide')}</span></span>
    <span class="cap l">Left, ${left.label}</span><span class="cap r">Right, ${right.label}</span>
    <input type="range" min="0" max="100" .value=${live(String(shown))} aria-label="How much of the left picture is shown" aria-valuetext="${shown} % left picture"
      @input=${e => onMove(Number(e.target.value))}></div>`;
}
