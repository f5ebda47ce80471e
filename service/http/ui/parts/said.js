// What the model said, as it said it: text only, in its own direction, three lines until asked for more.
import { html, nothing } from '../lit.js';

const LONG = 240;

export const beginning = (text, most = 400) => (text.length > most ? `${text.slice(0, most)}…` : text);

// `open`: all of it is shown; `toggle` changes that.
export function saidText(text, { open, toggle, kind = 'said' }) {
  const long = text.length > LONG;
  return html`<p class="${kind} ${long && !open ? 'clamp' : ''}" dir="auto">${open ? text : beginning(text, 1000)}</p>
    ${long ? html`<button type="button" class="btn bare" aria-expanded=${String(!!open)} @click=${toggle}>${open ? 'Show less' : `Show all ${text.length.toLocaleString('en')} characters`}</button>` : nothing}`;
}
