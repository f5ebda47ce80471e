// Starts the dashboard: who looks in, what is known, which page is seen.
import { html, nothing, render } from './lit.js';
import { makeApi, now } from './api.js';
import { makeLive } from './live.js';
import { makeStore } from './store.js';
import { go, replace, routeOf } from './router.js';
import { frame, showKeys, takeTheme } from './frame.js';
import { listen } from './keys.js';
import { logIn, loginPage, takeTokenOfAddress } from './login.js';
import { sheets } from './parts/player.js';
import { page as wall } from './pages/wall.js';

// Every other page is loaded when it is first seen.
const kPages = { wall: () => ({ page: wall }), camera: () => import('./pages/camera.js'), first: () => import('./pages/first.js'), events: () => import('./pages/events.js'),
  event: () => import('./pages/event.js'), pairs: () => import('./pages/pairs.js'), ask: () => import('./pages/ask.js'), system: () => import('./pages/system.js') };
const kScopes = ['view', 'ask', 'edit', 'admin'];
const root = document.getElementById('app');

let holder = null, was = false, fault = '', shown = null, route = routeOf(location.hash), said = '', saidTimer = 0, asked = false, making = 0;
const more = { open: false };
const may = scope => kScopes.indexOf(holder?.scope) >= kScopes.indexOf(scope);
const api = makeApi({ onDenied: () => { if (holder) leave(); } });
const live = makeLive(api), store = makeStore(api, live);

function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}
function say(text) {
  clearTimeout(saidTimer);
  said = text;
  redraw();
  saidTimer = setTimeout(() => { said = ''; redraw(); }, 6000);
}
function skip(event) { event.preventDefault(); document.getElementById('main').focus(); }

function draw() {
  if (!holder) {
    document.title = 'Palisade';
    render(loginPage({ was, fault, enter }), root);
    return;
  }
  document.title = shown ? `${shown.title} · Palisade` : 'Palisade';
  render(frame({ route, store, live, may, more, redraw, said, skip }, shown ? shown.view() : nothing), root);
}

const nothingHere = { title: 'Nothing here', view: () => html`<div class="head"><h1 id="title">There is no such page</h1></div><p><a href="#/wall">To the wall</a></p>` };
async function turn(focus = true) {
  const before = route;
  route = routeOf(location.hash);
  if (shown?.moved && before.page === route.page && await shown.moved(route)) { redraw(); return; }
  const mine = ++making;
  let module;
  try {
    module = kPages[route.page] ? await kPages[route.page]() : { page: () => nothingHere };
  } catch { // the service is away, or its files are newer than this page
    module = { page: () => ({ title: 'Not loaded', view: () => html`<div class="head"><h1 id="title">This page could not be loaded</h1></div><p><button class="btn" @click=${() => location.reload()}>Load it again</button></p>` }) };
  }
  if (mine !== making) return;
  shown?.stop?.();
  const context = { api, live, store, route, redraw, say, go, replace, holder, may, now };
  shown = module.page(context);
  draw();
  scrollTo(0, 0);
  if (focus) document.getElementById('main')?.focus({ preventScroll: true });
}

async function enter(token) {
  fault = '';
  try {
    if (token) await logIn(api, token);
    if (token && was) { location.reload(); return; }
    holder = await api.get('login');
    was = false;
  } catch (error) {
    fault = error.status === 401 ? (token ? 'There is no such token.' : '') : error.message;
    redraw();
    return;
  }
  store.start();
  live.start();
  await turn(false);
}
// The token was revoked: nothing more is asked for.
function leave() {
  holder = null;
  was = true;
  store.stop();
  live.stop();
  shown?.stop?.();
  shown = null;
  redraw();
}

takeTheme();
addEventListener('hashchange', async () => {
  if (location.hash.startsWith('#token=')) { await takeTokenOfAddress(api).catch(() => {}); location.reload(); return; }
  if (holder) turn();
});
store.on(() => { sheets.side = store.status?.model?.side ?? sheets.side; redraw(); });
live.watch(redraw);
setInterval(() => { if (document.visibilityState === 'visible' && holder) redraw(); }, 1000); // ages grow
listen({
  go: name => go(`#/${name}`), list: showKeys,
  full: () => (document.fullscreenElement ? document.exitFullscreen() : document.getElementById('main')?.requestFullscreen?.()),
  search: () => { const box = document.querySelector('main input[type=search]'); if (box) box.focus(); else go('#/events'); },
  page: key => { const act = shown?.keys?.[key]; act?.(); return !!act; },
});
try {
  await takeTokenOfAddress(api);
} catch (error) {
  fault = error.status === 401 ? 'There is no such token.' : error.message;
}
if (fault) draw(); else await enter();
