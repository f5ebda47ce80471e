// One side of a pair: a camera now, a camera at a time (the picture of its answer then), a kept event, or a picture of one's own.
import { html, nothing, live } from '../../lit.js';
import { clock, stamp } from '../../words.js';
import { icon } from '../../parts/icon.js';

const dataUrl = blob => new Promise((done, failed) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.onerror = () => failed(new Error('The picture cannot be read.'));
  reader.readAsDataURL(blob);
});

export function makeSide({ api, redraw, name, onChange }) {
  let chosen = '', moment = '', asked = 0, again = 0;
  const self = { name, picture: null, fault: '', upload: null }; // picture: {url, label, alt, blob}

  function show(blob, label, alt) {
    if (self.picture) URL.revokeObjectURL(self.picture.url);
    self.picture = blob && { url: URL.createObjectURL(blob), label, alt, blob };
  }
  async function fetched(path) {
    const response = await api.ask('GET', path);
    return { blob: await response.blob(), time: response.headers.get('Palisade-Time') };
  }
  async function find() {
    const [kind, value] = [chosen.slice(0, chosen.indexOf(':')), chosen.slice(chosen.indexOf(':') + 1)];
    if (kind === 'now') {
      const { blob, time } = await fetched(`streams/${encodeURIComponent(value)}/picture.jpg`);
      return [blob, `${value}, ${time ? clock(time) : 'now'}`, `${value}${time ? ` at ${stamp(time)}` : ''}`];
    }
    let event = null;
    if (kind === 'event') ({ event } = await api.get(`events/${encodeURIComponent(value)}`));
    else {
      const to = Date.parse(moment);
      if (!to) return null;
      event = (await api.get('events', { stream: value, kind: 'answer', to: new Date(to + 1000).toISOString(), limit: 1 })).events[0]?.event;
      if (!event) throw new Error(`${value} had not answered anything by then. Choose a later time.`);
    }
    const { blob } = await fetched(`events/${encodeURIComponent(event.id)}/view.jpg`);
    return [blob, `${event.subject}, ${clock(event.time)}`, `${event.subject} at ${stamp(event.time)}`];
  }
  async function load() {
    const mine = ++asked;
    clearTimeout(again);
    self.fault = '';
    try {
      const found = await find();
      if (mine !== asked) return;
      if (found) { self.upload = null; show(...found); }
    } catch (error) {
      if (mine !== asked) return;
      self.fault = error.message;
      show(null);
      // A camera that has just begun has a picture soon.
      if (error.status === 404 && chosen.startsWith('now:')) again = setTimeout(() => { if (mine === asked) load(); }, 2000);
    }
    onChange();
    redraw();
  }

  return Object.assign(self, {
    choose(value, at = '') { [chosen, moment] = [value, at]; return load(); },
    get chosen() { return chosen; },
    give(file, upload) { asked++; [chosen, self.fault, self.upload] = ['own', '', upload]; show(file, file.name, file.name); onChange(); redraw(); },
    swap(other) {
      const mine = [chosen, moment, self.picture, self.upload], its = other.state();
      asked++;
      other.become(mine);
      self.become(its);
    },
    state: () => [chosen, moment, self.picture, self.upload],
    become([a, b, picture, upload]) { asked++; [chosen, moment] = [a, b]; Object.assign(self, { picture, upload, fault: '' }); },
    refresh: () => (chosen.startsWith('now:') ? load() : null),
    // As POST ask takes it.
    given: async () => (self.upload ? { upload: self.upload.id } : dataUrl(self.picture.blob)),
    stop() { asked++; clearTimeout(again); show(null); },
    view(streams, own) {
      const names = (streams ?? []).map(stream => stream.name), stream = chosen.slice(chosen.indexOf(':') + 1);
      const options = [...names.flatMap(one => [[`now:${one}`, `${one}, now`], [`at:${one}`, `${one}, at a time …`]]), ['own', 'A picture of mine …'], ...(chosen.startsWith('event:') ? [[chosen, self.picture?.label ?? 'An event']] : [])];
      return html`<div class="side"><label class="field"><span>${name}</span><select class="in" .value=${live(chosen)} @change=${e => (e.target.value === 'own' ? own() : self.choose(e.target.value, moment))}>
          ${chosen ? nothing : html`<option value="">Choose …</option>`}${options.map(([value, words]) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`)}</select></label>
        ${chosen.startsWith('at:') ? html`<label class="field"><span>${stream} at</span><input class="in" type="datetime-local" step="1" .value=${live(moment)} @change=${e => self.choose(chosen, e.target.value)}></label>` : nothing}
        ${chosen.startsWith('now:') ? html`<button type="button" class="btn bare" @click=${load}>${icon('replay')}Its newest picture</button>` : nothing}
        ${self.fault ? html`<p class="small bad-text" role="alert" dir="auto">${self.fault}</p>` : nothing}</div>`;
    },
  });
}
