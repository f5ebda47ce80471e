// The chosen event beside the list, for wide windows: its frames to play, what it said, how sure it was.
import { html, nothing } from '../../lit.js';
import { span, stamp } from '../../words.js';
import { icon } from '../../parts/icon.js';
import { probability } from '../../parts/probability.js';
import { makePlayer } from '../../parts/player.js';
import { described, lostWords, picturesOf } from '../../parts/event_kind.js';
import { beginning } from '../../parts/said.js';

const fact = (name, value) => html`<dt>${name}</dt><dd class="num">${value}</dd>`;

export function makePreview({ api, store, redraw, link, like }) {
  let id = null, player = null;
  const address = (event, name) => api.url(`events/${encodeURIComponent(picturesOf(event))}/${name}`);
  const forget = () => { player?.stop(); player = null; id = null; };

  function choose(event, count) {
    if (event.id === id) return;
    forget();
    id = event.id;
    if (count > 1) player = makePlayer({ redraw, src: address(event, 'sheet.jpg'), count, start: count - 1 });
  }

  function picture(event, what, gone) {
    if (gone) return html`<span class="pic"><span class="mid">${icon('film')}<p>Its frames are gone</p><small>The sentence and its numbers stay. Keep an event, and its frames stay too.</small></span></span>`;
    if (what.pictures === 2) return html`<span class="pic"><span class="split">${[1, 2].map(i => html`<img alt=${i === 1 ? 'Left picture' : 'Right picture'} src=${address(event, `frames/${i}.jpg`)}>`)}</span></span>`;
    return html`<span class="pic">${picturesOf(event) ? html`<img alt="The newest picture of the event" src=${address(event, 'view.jpg')}>` : nothing}${player && (player.on || player.at !== what.pictures - 1) ? player.sheet(`Frame ${player.at + 1} of ${what.pictures}`) : nothing}</span>
      ${player ? html`<div class="bar-row">${player.button()}${player.scrub()}<span class="num small t3">${player.at + 1} of ${what.pictures}</span></div>` : nothing}`;
  }

  return {
    toggle: () => (player?.on ? player.stop() : player?.play(true)),
    stop: forget,
    view(entry, { gone, certain }) {
      if (!entry) { forget(); return html`<p class="t2">Point at an event, or move to it with <kbd>j</kbd> and <kbd>k</kbd>, to see its frames here.</p>`; }
      const { event } = entry, { data } = event, what = described(event, store);
      choose(event, what.pictures === 2 ? 0 : what.pictures);
      const seconds = (data.window?.span_ms ?? 0) / 1000;
      return html`${picture(event, what, gone)}
        <div class="stack peek-text">
          <div><p class="lead clamp" dir="auto">${beginning(what.said, 600)}</p>${what.question ? html`<p class="t2" dir="auto">${beginning(what.question)}</p>` : nothing}</div>
          ${what.p === null || what.p === undefined ? nothing : html`<div><p class="small t3">${what.name === 'mean P' ? 'Mean P of a word' : what.name}</p>
            ${probability(what.p, { name: what.name, threshold: what.threshold, big: true })}
            <p class="small t3 num">${what.kind === 'answer' ? certain(what) : ''}</p></div>`}
          <dl class="facts-list">${fact('Camera', event.subject)}${fact('When', stamp(event.time))}
            ${what.pictures ? fact('Pictures', what.pictures === 1 ? '1' : `${what.pictures} over ${span(seconds)}`) : nothing}
            ${data.timing_ms ? fact('Took', span(data.timing_ms.total / 1000)) : nothing}
            ${what.kind === 'answer' ? fact('Lost before', lostWords(what.lost) || 'none') : nothing}</dl>
          <div class="row wrap"><a class="btn" href="#/event/${event.id}">Open</a>
            <button type="button" class="btn bare" @click=${() => link(event)}>${icon('link')}Copy link</button>
            ${what.kind === 'answer' ? html`<button type="button" class="btn bare" @click=${() => like(entry)}>${icon('like')}More like this</button>` : nothing}</div>
        </div>`;
    },
  };
}
