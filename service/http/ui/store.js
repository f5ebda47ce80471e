// What every page needs to know: cameras, their last answers, open alerts, the service's state. Asked for while the page is seen.
const kBetween = { streams: 2000, status: 10_000, capacity: 10_000 };

export function makeStore(api, live) {
  const watchers = new Set(), answers = new Map(), alerts = new Map();
  const store = {
    streams: null, status: null, capacity: null,
    awaySince: null, // the browser's time in ms since when the service has not answered; null: it answers
    get demo() { return store.status?.model?.demo === true; },
    stream: name => store.streams?.find(one => one.name === name) ?? null,
    // From which P of yes or true on an answer of a stream's task passes: that of its rule, where it has one.
    threshold: (stream, task) => store.stream(stream)?.tasks.find(one => one.name === task)?.threshold ?? 0.5,
    // The newest answer event of a stream's task, where this page has seen one.
    answer: (stream, task) => answers.get(`${stream}/${task}`) ?? null,
    // Alerts that are not over, of one stream or all.
    alerts: stream => [...alerts.values()].filter(event => !stream || event.subject === stream),
    on(watcher) { watchers.add(watcher); return () => watchers.delete(watcher); },
    refresh: name => poll(name, true),
    start, stop,
  };
  const timers = {};
  let refused = new Set(), stopped = false;
  const changed = () => { for (const watcher of watchers) watcher(); };

  function note(event) {
    const type = String(event.type).split('.')[1];
    if (type === 'answer') answers.set(`${event.subject}/${event.data.name ?? event.data.task}`, event);
    if (type === 'alert') {
      const key = `${event.subject}/${event.data.rule}`;
      if (event.data.change === 'cleared') alerts.delete(key); else alerts.set(key, event);
    }
  }
  async function poll(name, once = false) {
    if (!once && document.visibilityState === 'hidden') return;
    if (refused.has(name)) return;
    try {
      const got = await api.get(name, {}, { timeout: 3000 });
      store[name] = name === 'streams' ? got.streams : got;
      store.awaySince = null;
    } catch (error) {
      if (error.status === 404 || error.status === 403) refused.add(name);
      else if (!error.status) store.awaySince ??= Date.now();
    }
    changed();
  }
  async function again(name) {
    await poll(name);
    if (!stopped) timers[name] = setTimeout(() => again(name), store.awaySince === null ? kBetween[name] : 1000);
  }
  async function readAlerts() {
    try {
      const found = await api.get('events', { kind: 'alert', limit: 200 });
      for (const row of found.events.reverse()) note(row.event);
      changed();
    } catch { /* no journal: alerts come by the live stream alone, or not at all */ }
  }
  let off = () => {};
  function start() {
    stopped = false;
    for (const name of Object.keys(kBetween)) again(name);
    readAlerts();
    off = live.on(entry => { note(entry.event); changed(); });
  }
  function stop() {
    stopped = true;
    off();
    for (const timer of Object.values(timers)) clearTimeout(timer);
  }
  document.addEventListener('visibilitychange', () => { if (!stopped && document.visibilityState === 'visible') poll('streams'); });
  return store;
}
