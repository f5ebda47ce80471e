// One event stream for all tabs of a browser: the tab that holds the lock reads it, and tells the others. Every tab keeps the
// position of its last event, so that whoever takes over goes on from there, and nothing comes twice.
import { readEvents } from './sse.js';

const kSilence = 25_000; // the service pings every 10 s
const pause = ms => new Promise(done => setTimeout(done, ms));

export function makeLive(api) {
  const listeners = new Set(), watchers = new Set();
  const name = `palisade-live ${new URL('.', document.baseURI).pathname}`;
  const channel = new BroadcastChannel(name);
  const stop = new AbortController();
  let position = null, state = 'connecting', leading = false;

  function become(next) {
    if (state === next) return;
    state = next;
    for (const watcher of watchers) watcher(state);
  }
  function take(entry) {
    if (position !== null && entry.position <= position) return;
    position = entry.position;
    for (const listener of listeners) listener(entry);
  }
  function tell(next) {
    become(next);
    channel.postMessage({ state });
  }
  channel.onmessage = ({ data }) => {
    if (data.hello && leading) channel.postMessage({ state, position });
    if (data.state && !leading) become(data.state);
    if (data.position !== undefined && position === null) position = data.position;
    if (data.entry) take(data.entry);
  };

  // Reads until the stream ends; throws where it cannot be had.
  async function read() {
    if (position === null) position = (await api.get('events', { limit: 1 })).events[0]?.position ?? null;
    const silence = new AbortController();
    let timer = 0;
    const heard = () => { clearTimeout(timer); timer = setTimeout(() => silence.abort(), kSilence); };
    heard();
    try {
      const response = await api.ask('GET', 'live', {
        headers: position === null ? {} : { 'Last-Event-ID': String(position) }, timeout: 0, signal: AbortSignal.any([silence.signal, stop.signal]),
      });
      tell('live');
      for await (const { type, data, id } of readEvents(response.body)) {
        heard();
        if (!type) continue;
        const event = JSON.parse(data);
        const entry = { position: Number(id), type: String(event.type).split('.')[1] ?? '', event };
        take(entry);
        channel.postMessage({ entry });
      }
    } finally {
      clearTimeout(timer);
    }
  }
  async function lead() {
    leading = true;
    for (let wait = 500; !stop.signal.aborted; await pause(wait)) {
      try {
        await read();
        wait = 500;
      } catch (error) {
        if (error.status === 401) { tell('denied'); wait = 5000; continue; }
        if (error.code === 'unavailable') { tell('off'); wait = 15_000; continue; }
        wait = Math.min(3000, wait * 2);
      }
      if (!stop.signal.aborted) tell('away');
    }
  }
  return {
    on(listener) { listeners.add(listener); return () => listeners.delete(listener); },
    watch(watcher) { watchers.add(watcher); return () => watchers.delete(watcher); },
    get state() { return state; },
    get position() { return position; },
    get leading() { return leading; },
    start() {
      channel.postMessage({ hello: true });
      navigator.locks.request(name, { signal: stop.signal }, lead).catch(() => {});
    },
    stop() { stop.abort(); channel.close(); },
  };
}
