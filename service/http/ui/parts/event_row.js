// One event of the list: picture with stakes, answer, question, camera and time, P, and the four verdicts.
import { html, nothing } from '../lit.js';
import { ago, p2, stamp } from '../words.js';
import { icon } from './icon.js';
import { probability } from './probability.js';
import { stakes } from './stakes.js';
import { described, lostWords, picturesOf } from './event_kind.js';
import { beginning } from './said.js';
import { correction, verdictIcons } from './verdict.js';

const when = (event, now) => html`<time class="num" datetime=${event.time} title=${stamp(event.time)}>${ago(event.time, now)}</time>`;

function stateRow({ event }, what, now) {
  return html`<article class="ev state"><span class="ico">${icon(event.data.state === 'online' ? 'camera' : 'off')}</span>
    <p class="small"><b>${what.said}</b> <span class="t3"><span dir="auto">${what.why}</span>${what.why ? ', ' : ''}${when(event, now)}</span></p></article>`;
}

// Two pictures beside one another, or the newest of the window with the others playing over it.
function thumb(entry, what, { api, player, gone, onGone }) {
  const id = picturesOf(entry.event), url = name => api.url(`events/${encodeURIComponent(id)}/${name}`);
  const picture = name => html`<img loading="lazy" decoding="async" alt="" src=${url(name)} @error=${() => onGone(entry)}>`;
  if (gone) return html`<span class="thumb"><span class="pic"><span class="mid"><small>frames gone</small></span></span></span>`;
  if (what.pictures === 2) return html`<span class="thumb"><span class="pic"><span class="split">${picture('frames/1.jpg')}${picture('frames/2.jpg')}</span></span></span>`;
  return html`<span class="thumb"><span class="pic">${id ? picture('view.jpg') : nothing}${player ? player.sheet('') : nothing}</span>
    ${what.pictures > 2 ? (player ? player.stakes() : stakes(what.pictures - 1, what.pictures)) : nothing}</span>`;
}

function judged(entry, fixing, onFix) {
  if (entry.verdict?.right !== false) return nothing;
  if (entry.verdict.text && !fixing) return html`<p class="corr">Really: <b dir="auto">${beginning(entry.verdict.text)}</b></p>`;
  return correction(entry, text => onFix(entry, text));
}

// `page`: what the list lends its rows: api, store, now, may, gone(id), playing(id), and the actions.
export function eventRow(entry, page) {
  const { event } = entry, what = described(event, page.store), now = page.now;
  if (what.kind === 'state') return stateRow(entry, what, now);
  const said = beginning(what.said);
  const answer = what.kind === 'answer';
  return html`<article class="ev ${page.selected === event.id ? 'sel' : ''}" data-id=${event.id}
      @pointerenter=${() => page.enter(entry, true)} @pointerleave=${() => page.leave(entry)}
      @focusin=${() => page.enter(entry)} @focusout=${e => e.currentTarget.contains(e.relatedTarget) || page.leave(entry)}>
    ${thumb(entry, what, { api: page.api, player: page.playing(event.id), gone: page.gone(event.id), onGone: page.onGone })}
    <div><p class="said"><a href="#/event/${event.id}" dir="auto">${what.question ? html`<b>${said}</b> <span class="q">${beginning(what.question)}</span>` : said || 'nothing said'}</a></p>
      ${answer ? judged(entry, page.fixing === event.id, page.onFix) : nothing}
      <p class="meta">${what.tag ? html`<span class="tag ${what.severity === 'info' || what.tag.endsWith('cleared') ? '' : 'warn'}">${icon('bell')}${what.tag}</span>` : nothing}
        <span>${event.subject}</span><span>${what.task}</span>${when(event, now)}
        ${event.data.unchanged_since ? html`<span class="tag">as before, not asked again</span>` : nothing}
        ${what.lost ? html`<span class="tag">${lostWords(what.lost)}</span>` : nothing}
        ${entry.cosine !== undefined ? html`<span class="tag on">alike ${p2(entry.cosine)}</span>` : nothing}</p></div>
    <div class="pcol">${what.p === null || what.p === undefined ? nothing : html`<span class="plabel">${what.name}</span>${probability(what.p, { name: what.name, threshold: what.threshold })}`}</div>
    ${answer ? verdictIcons(entry, page) : html`<div class="acts"></div>`}</article>`;
}
