// A camera's settings: read, changed, written. Another editor's change in between is shown as a difference, never overwritten unseen.
import { html, nothing } from '../../lit.js';
import { note, problems } from '../../parts/notice.js';

const clone = value => JSON.parse(JSON.stringify(value));
const shown = value => (value === undefined ? 'not set' : typeof value === 'object' ? JSON.stringify(value) : String(value));

// Where two settings differ: [{where, theirs, mine}], entries of lists by their names.
export function differences(theirs, mine, where = '') {
  if (JSON.stringify(theirs) === JSON.stringify(mine)) return [];
  const both = value => value !== null && typeof value === 'object';
  if (!both(theirs) || !both(mine)) return [{ where, theirs: shown(theirs), mine: shown(mine) }];
  if (Array.isArray(theirs) && Array.isArray(mine)) {
    const nameOf = (one, i) => (both(one) ? one.name ?? one.task : null) ?? String(i + 1);
    const byName = list => Object.fromEntries(list.map((one, i) => [nameOf(one, i), one]));
    return differences(byName(theirs), byName(mine), where);
  }
  return [...new Set([...Object.keys(theirs), ...Object.keys(mine)])].flatMap(key => differences(theirs[key], mine[key], where ? `${where}, ${key}` : key));
}

export function makeEditing({ api, name, redraw, say, store }) {
  const path = `streams/${encodeURIComponent(name)}`;
  let settings = null, etag = null, busy = false, fault = null, conflict = null, over = null;
  const read = async () => {
    const { body, headers } = await api.full('GET', path);
    return { settings: body.settings ?? null, etag: headers.get('ETag') };
  };
  async function write(next, tag, force, then) {
    busy = true; fault = null; over = null;
    redraw();
    try {
      const { headers } = await api.full('PUT', path, { body: next, headers: tag ? { 'If-Match': tag } : {}, query: force ? { force: 1 } : {} });
      settings = next; etag = headers.get('ETag'); conflict = null;
      say(`${name} is saved.`);
      then?.();
      store.refresh('streams'); store.refresh('capacity');
      return true;
    } catch (error) {
      if (error.status === 412) {
        const now = await read();
        conflict = { mine: next, theirs: now.settings, tag: now.etag, then };
      } else if (error.status === 429 && error.plan !== undefined) {
        over = { next, tag, then };
        conflict = null;
      } else {
        fault = error;
      }
      return false;
    } finally {
      busy = false;
      redraw();
    }
  }
  const self = {
    get settings() { return settings; }, get busy() { return busy; }, get fault() { return fault; },
    get troubled() { return fault !== null || conflict !== null || over !== null; },
    async load() {
      try { ({ settings, etag } = await read()); fault = null; } catch (error) { fault = error; }
      redraw();
    },
    // The settings as `change` would leave them.
    changed(change) { const next = clone(settings); change(next); return next; },
    // `then` is called once it is written, be it after a difference was settled.
    save: (change, then) => write(self.changed(change), etag, false, then),
    async remove() {
      busy = true; redraw();
      try { await api.send('DELETE', path); store.refresh('streams'); return true; } catch (error) { fault = error; return false; } finally { busy = false; redraw(); }
    },
    forget() { fault = null; conflict = null; over = null; redraw(); },
    // What stands in the way of a save, with what can be done about it.
    view() {
      if (conflict) {
        const lines = differences(conflict.theirs, conflict.mine);
        return html`<div class="box-note warn stack-s" role="alert"><svg class="i" aria-hidden="true"><use href="ui/icons.svg#warn"></use></svg><div class="stack-s"><p><strong>${name} was changed meanwhile.</strong> ${lines.length ? 'The rest is the same.' : 'Both say the same.'}</p>
          ${lines.map(line => html`<p>${line.where}: theirs <b>${line.theirs}</b>, yours <b>${line.mine}</b></p>`)}
          <div class="row"><button class="btn" type="button" @click=${() => { settings = conflict.theirs; etag = conflict.tag; conflict = null; redraw(); }}>Take theirs</button>
          <button class="btn end" type="button" @click=${() => write(conflict.mine, conflict.tag, false, conflict.then)}>Save mine</button></div></div></div>`;
      }
      if (over) return html`${note('warn', 'warn', html`<strong>Too much for this machine.</strong> Windows would be left out.`)}<div class="row"><button class="btn end" type="button" @click=${() => write(over.next, over.tag, true, over.then)}>Save all the same</button></div>`;
      return fault ? html`<div role="alert">${note('bad', 'warn', problems(fault))}</div>` : nothing;
    },
  };
  return self;
}
