// Right, wrong with what would be right, kept: how people judge an answer, on the list and on its page.
import { html, nothing } from '../lit.js';
import { icon } from './icon.js';

const path = (entry, what) => `events/${encodeURIComponent(entry.event.id)}${what}`;

// `verdict`: {right, text?}, or null to take it back. The service's word on it is read again.
export async function judge(api, entry, verdict) {
  await (verdict ? api.send('PUT', path(entry, '/verdict'), verdict) : api.send('DELETE', path(entry, '/verdict')));
  return reread(api, entry);
}

export async function keep(api, entry, kept) {
  await api.send(kept ? 'PUT' : 'DELETE', path(entry, '/kept'));
  return reread(api, entry);
}

async function reread(api, entry) {
  const { kept, verdict } = await api.get(path(entry, ''));
  return Object.assign(entry, { kept, verdict });
}

// The verdict that this button asks for: pressed again, it takes it back.
export const pressed = (entry, right) => (entry.verdict?.right === right ? null : { right });

// What else could have been answered, where the answer was one of a few.
function others(data) {
  const few = data.choices?.length > 1 && data.choices.length <= 6 ? data.choices.map(one => one.text) : null;
  const said = data.text.trim().toLowerCase();
  const opposite = { yes: 'no', no: 'yes', true: 'false', false: 'true' }[said];
  return few ? few.filter(text => text.toLowerCase() !== said) : opposite ? [opposite] : [];
}

// A wrong yes was a no: one click; a wrong sentence is written anew.
export function correction(entry, save) {
  const { data } = entry.event, few = others(data);
  if (few.length) return html`<div class="fix">${few.map(text => html`<button type="button" class="btn" aria-pressed=${String(entry.verdict?.text === text)}
    @click=${() => save(text)}>It was ${text}</button>`)}</div>`;
  const submit = e => { e.preventDefault(); const text = new FormData(e.target).get('really').trim(); if (text) save(text); };
  return html`<form class="fix" @submit=${submit}><input class="in" name="really" dir="auto" maxlength="2000" autocomplete="off"
    aria-label="What really happened" .defaultValue=${entry.verdict?.text ?? data.text.slice(0, 2000)}><button class="btn">Save</button></form>`;
}

// Four small ones, for a row.
export function verdictIcons(entry, { onJudge, onKeep, onLike, may }) {
  const button = (name, label, key, action, on) => html`<button type="button" class="btn bare icon" data-v=${name} aria-label=${label} title="${label} (${key})"
    aria-pressed=${on === undefined ? nothing : String(on)} @click=${action}>${icon(name)}</button>`;
  return html`<div class="acts">${may ? html`${button('right', 'Right', 'Y', () => onJudge(entry, true), entry.verdict?.right === true)}
    ${button('wrong', 'Wrong', 'N', () => onJudge(entry, false), entry.verdict?.right === false)}
    ${button('keep', 'Keep', 'S', () => onKeep(entry), entry.kept)}` : nothing}
    ${button('like', 'More like this', 'M', () => onLike(entry))}</div>`;
}
