// Pictures of cameras that are seen, and no others: short requests, four at a time, so that a browser's six connections suffice.
import { html } from '../lit.js';
import { made } from './at.js';

const kAtATime = 4;

export function makePictures({ api, redraw, every = 1000 }) {
  const all = new Map(), stopped = new AbortController();
  let inFlight = 0, timer = 0;
  const watch = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      const one = all.get(target.dataset.camera);
      if (!target.isConnected) watch.unobserve(target); else if (one) Object.assign(one, { element: target, seen: isIntersecting });
    }
    next();
  }, { rootMargin: '120px' });

  async function load(one) {
    inFlight += 1;
    one.loading = true;
    const asked = Date.now();
    try {
      const { url, headers } = await api.picture(`streams/${encodeURIComponent(one.name)}/picture.jpg`, { etag: one.etag, signal: stopped.signal });
      one.etag = headers.get('ETag');
      one.age = Number(headers.get('Palisade-Age'));
      one.time = headers.get('Palisade-Time');
      one.at = Date.now();
      one.missing = false;
      if (url) { const old = one.url; one.url = url; if (old) setTimeout(() => URL.revokeObjectURL(old), 2000); }
    } catch (error) {
      if (error.status === 404) one.missing = true;
    }
    one.due = asked + every;
    one.loading = false;
    inFlight -= 1;
    if (!stopped.signal.aborted) { redraw(); next(); }
  }
  function next() {
    clearTimeout(timer);
    if (stopped.signal.aborted) return;
    const now = Date.now();
    const waiting = [...all.values()].filter(one => one.seen && one.element.isConnected && !one.loading).sort((a, b) => a.due - b.due);
    for (const one of waiting) if (inFlight < kAtATime && one.due <= now && document.visibilityState === 'visible') load(one);
    const later = waiting.find(one => !one.loading);
    if (later) timer = setTimeout(next, Math.max(50, later.due - Date.now()));
  }
  document.addEventListener('visibilitychange', next, { signal: stopped.signal });
  const of = name => {
    if (!all.has(name)) all.set(name, { name, url: '', due: 0, seen: false });
    return all.get(name);
  };
  return {
    picture(name, alt) {
      const one = of(name);
      return html`<img class="live" data-camera=${name} src=${one.url || 'ui/img/dark.svg'} width="640" height="360" alt=${alt} ${made(element => watch.observe(element))}>`;
    },
    has: name => !!all.get(name)?.url,
    // Seconds since the picture was taken, or null; and how it was taken.
    age(name) { const one = all.get(name); return one?.url ? one.age + (Date.now() - one.at) / 1000 : null; },
    time: name => all.get(name)?.time ?? null,
    forget(name) { const one = all.get(name); if (one?.url) URL.revokeObjectURL(one.url); all.delete(name); },
    stop() { stopped.abort(); clearTimeout(timer); watch.disconnect(); for (const one of all.values()) if (one.url) URL.revokeObjectURL(one.url); },
  };
}
