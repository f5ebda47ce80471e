// Pictures and films of a person's own: sent to the service, shown small, taken away again on leaving.
import { html, nothing } from '../lit.js';
import { bytes } from '../words.js';
import { icon } from './icon.js';

const MOST_BYTES = 64 * 2 ** 20, TYPES = /^(image|video)\//;

export function makeUploads({ api, redraw, most = 16, onChange = () => {} }) {
  let all = [];
  const gone = new AbortController();

  async function send(one) {
    try {
      if (!TYPES.test(one.file.type)) throw new Error('neither a picture nor a film');
      if (one.file.size > MOST_BYTES) throw new Error(`${bytes(one.file.size)} is more than ${bytes(MOST_BYTES)}`);
      const { id, kind } = await api.upload(one.file, gone.signal);
      Object.assign(one, { id, kind });
    } catch (error) {
      one.fault = error.message;
    }
    onChange();
    redraw();
  }
  const forget = one => {
    URL.revokeObjectURL(one.url);
    if (one.id) api.send('DELETE', `uploads/${encodeURIComponent(one.id)}`).catch(() => {});  // it goes by itself after a day
  };
  const self = {
    get all() { return all; },
    get ready() { return all.length > 0 && all.every(one => one.id); },
    get film() { return all.some(one => one.kind === 'film'); },
    get pictures() { return all.filter(one => one.id).map(one => ({ upload: one.id })); },
    add(files) {
      const room = [...files].slice(0, Math.max(0, most - all.length)).map(file => ({ file, name: file.name, url: URL.createObjectURL(file), film: file.type.startsWith('video/') }));
      all = [...all, ...room];
      room.forEach(send);
      redraw();
      return room;
    },
    remove(one) { forget(one); all = all.filter(other => other !== one); onChange(); redraw(); },
    stop() { gone.abort(); all.forEach(forget); all = []; },
    zone: words => html`<label class="drop">${icon('drop')}<strong>${words}</strong><span class="small t3">JPEG, PNG, MP4, MKV, up to 64 MB; they stay for a day at most</span>
      <input type="file" multiple accept="image/*,video/*" @change=${e => { self.add(e.target.files); e.target.value = ''; }}></label>`,
    list: () => (all.length ? html`<ul class="given">${all.map((one, i) => html`<li>${one.film ? html`<span class="pic"><span class="mid">${icon('film')}</span></span>` : html`<span class="pic"><img src=${one.url} alt="Picture ${i + 1}"></span>`}
      <span class="small" dir="auto">${one.name}</span><span class="small t3">${one.fault ? html`<span class="tag bad">refused</span> ${one.fault}` : one.id ? bytes(one.file.size) : 'sending'}</span>
      <button type="button" class="btn bare icon" aria-label="Take ${one.name} away" @click=${() => self.remove(one)}>${icon('wrong')}</button></li>`)}</ul>` : nothing),
  };
  return self;
}

// Files that are dropped anywhere on the page. Returns what ends it.
export function catchDrops(take) {
  const stop = new AbortController(), { signal } = stop;
  const ours = e => e.dataTransfer?.types.includes('Files');
  addEventListener('dragover', e => { if (ours(e)) e.preventDefault(); }, { signal });
  addEventListener('drop', e => { if (ours(e)) { e.preventDefault(); take(e.dataTransfer.files); } }, { signal });
  return () => stop.abort();
}
