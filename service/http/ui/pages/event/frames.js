// The frames of one event: the view with its boxes at rest, the frames while they play or one moves through them.
import { html, nothing } from '../../lit.js';
import { stamp } from '../../words.js';
import { icon } from '../../parts/icon.js';
import { layers } from '../../parts/layers.js';
import { maskCanvas } from '../../parts/mask_canvas.js';
import { makePlayer, sheetCell } from '../../parts/player.js';

export function makeFrames({ api, redraw, event }) {
  const { data } = event, frames = data.frames ?? [], count = frames.length, last = count - 1;
  const address = name => api.url(`events/${encodeURIComponent(event.id)}/${name}`);
  const player = count > 1 ? makePlayer({ redraw, src: address('sheet.jpg'), count, start: last }) : null;
  const shown = new Set(['boxes', 'outlines']), boxes = data.boxes ?? [], masks = boxes.flatMap(box => box.mask ?? []);
  const began = Date.parse(frames[0]?.time ?? event.time);
  const offset = i => `+${((Date.parse(frames[i].time) - began) / 1000).toFixed(1)} s`;
  let failed = false;

  const toggle = (layer, words, symbol) => html`<button type="button" class="btn" aria-pressed=${String(shown.has(layer))} @click=${() => { shown.delete(layer) || shown.add(layer); redraw(); }}>${icon(symbol)}<span>${words}</span></button>`;
  const name = () => (player ? `${player.at + 1} of ${count}, ${offset(player.at)}` : '');

  function big() {
    const resting = !player || (!player.on && player.at === last);
    const view = html`<img src=${address('view.jpg')} alt="The newest picture of the event" @error=${() => { failed = true; redraw(); }}>`;
    return html`<div class="view"><div class="pic">${resting ? view : player.sheet(`Frame ${player.at + 1} of ${count}`)}${resting && masks.length && shown.has('outlines') ? maskCanvas(masks) : nothing}${resting && boxes.length ? layers({ boxes, shown }) : nothing}</div>
      ${boxes.length ? html`<div class="layers">${toggle('boxes', 'Boxes', 'box')}${masks.length ? toggle('outlines', 'Outlines', 'outline') : nothing}</div>` : nothing}</div>`;
  }

  function cells() {
    return html`<h2 class="vh">Frames</h2><div class="frames">${frames.map((frame, i) => html`<button type="button" aria-current=${String(i === player.at)} title=${stamp(frame.time)} @click=${() => { player.stop(); player.go(i); }}>
      ${sheetCell(address('sheet.jpg'), i, count, '')}<span class="vh">Frame ${i + 1}, </span><small class="num">${offset(i)}${frame.corrupt ? ', damaged' : ''}</small></button>`)}</div>`;
  }

  return {
    stop: () => player?.stop(),
    toggle: () => (player?.on ? player.stop() : player?.play(true)),
    step(by) { if (player) { player.stop(); player.go(Math.min(last, Math.max(0, player.at + by))); } },
    view() {
      if (failed || data.frames_stored === undefined && !data.view) return html`<div class="panel empty"><h2>${data.frames_stored === undefined ? 'Its frames were not kept' : 'Its frames are gone'}</h2>
        <p>The sentence and its numbers stay as long as the journal keeps events. Keep an event, or judge it, and its frames stay too.</p></div>`;
      return html`<div class="player" id="hero">${big()}
        ${player ? html`<div class="bar-row">${player.button()}${player.scrub()}<span class="num small t3">${name()}</span></div>${cells()}` : nothing}</div>`;
    },
  };
}
