// The frames that an answer saw, from their contact sheet: four a row, seven a second.
import { html, nothing } from '../lit.js';
import { at as place } from './at.js';
import { icon } from './icon.js';
import { stakes } from './stakes.js';

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const kBetween = 140;

// Side of a frame in a contact sheet, which is the model's, and the paper around each.
export const sheets = { side: 224 };
const kPaper = 4;

// One frame of a sheet of `count`.
export function sheetCell(src, i, count, label) {
  const columns = Math.min(4, count), rows = Math.ceil(count / columns), { side } = sheets, whole = n => n * (side + kPaper) + kPaper;
  const size = n => `${whole(n) / side * 100}%`, put = (k, n) => `${(kPaper + k * (side + kPaper)) / (whole(n) - side) * 100}%`;
  const places = { backgroundImage: src ? `url("${src}")` : '', backgroundSize: `${size(columns)} ${size(rows)}`, backgroundPosition: `${put(i % columns, columns)} ${put(Math.floor(i / columns), rows)}` };
  return html`<span class="sheet" role=${label ? 'img' : nothing} aria-label=${label ?? nothing} ${place(places)}></span>`;
}

export function makePlayer({ redraw, src, count = 16, start = 0 }) {
  let at = Math.min(start, count - 1), timer = 0;
  const self = {
    src, count,
    get at() { return at; },
    get on() { return timer !== 0; },
    go(i) { at = ((i % count) + count) % count; redraw(); },
    // `asked`: by the person, not by the pointer; what moves by itself stays still for who wants calm.
    play(asked = false) {
      if (timer || count < 2 || (calm.matches && !asked)) return;
      self.go(0);
      timer = setInterval(() => self.go(at + 1), kBetween);
    },
    stop(back = false) { clearInterval(timer); timer = 0; if (back) self.go(Math.min(start, count - 1)); },
    toggle() { if (timer) self.stop(); else self.play(true); redraw(); },
    sheet: label => sheetCell(self.src, at, count, label === undefined ? `Frame ${at + 1} of ${count}` : label || undefined),
    stakes: () => stakes(at, count),
    scrub: (words = `${at + 1} of ${count}`) => html`<div class="scrub">${stakes(at, count)}<input type="range" min="0" max=${count - 1} .value=${String(at)} aria-label="Frame" aria-valuetext=${words}
      @input=${event => { self.stop(); self.go(Number(event.target.value)); }}></div>`,
    button: () => html`<button class="btn icon" aria-label=${timer ? 'Pause' : `Play the ${count} frames`} aria-pressed=${String(timer !== 0)} @click=${self.toggle}>${icon(timer ? 'pause' : 'play')}</button>`,
  };
  return self;
}
