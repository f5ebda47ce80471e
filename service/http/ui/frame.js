// What is around every page: navigation, notices, the list of keys.
import { html, nothing } from './lit.js';
import { icon } from './parts/icon.js';
import { made } from './parts/at.js';
import { keyList, keysOn, switchKeys } from './keys.js';
import { share, span } from './words.js';

const kPages = [['wall', 'Wall'], ['events', 'Events'], ['pairs', 'Pairs'], ['ask', 'Ask'], ['system', 'System']];
const kTheme = 'palisade-theme';
const troubled = new Set(['stalled', 'reconnecting', 'auth_failed', 'unreadable', 'crashed']);
export const needsSomebody = stream => troubled.has(stream.state?.state);

const shownTheme = () => document.documentElement.dataset.theme ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
export function takeTheme() {
  const kept = localStorage.getItem(kTheme);
  if (kept === 'dark' || kept === 'light') document.documentElement.dataset.theme = kept;
}
function switchTheme() {
  const next = shownTheme() === 'dark' ? 'light' : 'dark';
  document.documentElement.dataset.theme = next;
  localStorage.setItem(kTheme, next);
}
const themeButton = kind => html`<button class=${`btn bare icon ${kind}`} aria-label="Switch between dark and light" @click=${switchTheme}>${icon('theme')}</button>`;
const brand = node => html`<a class="brand" href="#/wall">${icon('mark')}Palisade <span>${node}</span></a>`;
const here = (route, page, part) => (route.page === page && (part === undefined || route.parts[0] === part) ? 'page' : nothing);

function rail({ route, store, may }) {
  const open = store.alerts().length, capacity = store.capacity, node = store.status?.node ?? '';
  return html`<nav class="rail" aria-label="Main">${brand(node)}
    <ul class="nav">${kPages.map(([page, name]) => html`<li><a href=${`#/${page}`} aria-current=${page === 'events' && route.page === 'event' ? 'page' : here(route, page)}>${icon(page)}${name}
      ${page === 'events' && open ? html`<span class="count">${open}<span class="vh"> ${open === 1 ? 'alert' : 'alerts'} open</span></span>` : nothing}</a></li>`)}</ul>
    <div class="rail-cams"><h2>Cameras</h2><ul class="nav">
      ${(store.streams ?? []).map(stream => html`<li><a href=${`#/camera/${encodeURIComponent(stream.name)}`} aria-current=${here(route, 'camera', stream.name)}>${icon(needsSomebody(stream) ? 'off' : 'camera')}<span class="cut">${stream.name}</span>
        ${needsSomebody(stream) ? html`<span class="flag">${icon('warn')}<span class="vh">${stream.state.state}</span></span>` : nothing}</a></li>`)}
      ${may('edit') ? html`<li><a href="#/first" aria-current=${here(route, 'first')}>${icon('plus')}Add a camera</a></li>` : nothing}</ul></div>
    <div class="rail-foot">${capacity ? html`<div><div class="label"><span>Engine</span><span class="num">${share(capacity.used)} used, ${share(Math.max(0, capacity.free))} free</span></div>
      <svg class="bar thin" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true"><rect class="g-acc" width=${Math.min(1, capacity.used) * 100} height="1"></rect></svg></div>` : nothing}
      <div class="row"><button class="btn bare icon end" aria-label="List of keys" @click=${showKeys}>?</button>${themeButton('')}</div></div>
  </nav>`;
}

export const showKeys = () => document.getElementById('keys')?.showModal();
const keys = redraw => html`<dialog id="keys" aria-labelledby="h-keys"><h2 id="h-keys">Keys</h2>
  <dl>${keyList.map(([key, words]) => html`<dt>${key.split(' ').map(one => html`<kbd>${one}</kbd> `)}</dt><dd>${words}</dd>`)}</dl>
  <form method="dialog" class="row"><label class="check"><input type="checkbox" .checked=${keysOn()} @change=${event => { switchKeys(event.target.checked); redraw(); }}> Single keys act</label><button class="btn first end">Close</button></form></dialog>`;

// The demo model says so on every page, and how to get a real one; a service that does not answer turns pictures grey.
function notices({ store, live, more, redraw }) {
  const away = store.awaySince ? (Date.now() - store.awaySince) / 1000 : 0;
  return html`${store.demo ? html`<div class="notice" role="note">${icon('bulb')}<span><strong>Demo model.</strong> It knows only the simulated street<span class="long">; anything else gets a confident, wrong answer</span>.</span>
      <button class="btn bare link" aria-expanded=${String(more.open)} aria-controls="real-model" @click=${() => { more.open = !more.open; redraw(); }}>Bring a real one</button></div>
      <div class="notice-more" id="real-model" ?hidden=${!more.open}><p>Accept the licence of a PaliGemma checkpoint at huggingface.co, then</p><p class="said-prompt mono">hf download google/paligemma2-3b-mix-224</p>
      <p>and name its folder in the configuration (<span class="mono">model: /srv/models/paligemma2-3b-mix-224</span>); start the service again. About 4 GB of memory in int8.</p></div>` : nothing}
    ${store.awaySince ? html`<p class="notice bad" role="alert">${icon('off')}<span><strong>No contact with Palisade for <span aria-hidden="true">${span(Math.floor(away)).replace('.0', '')}</span>.</strong> Pictures below are old.</span></p>` : nothing}
    ${live.state === 'off' ? html`<p class="notice" role="note">${icon('warn')}<span><strong>No journal.</strong> Events are not stored, so none are shown here and nothing comes live.</span></p>` : nothing}`;
}

export function frame(state, view) {
  const { store, skip } = state;
  return html`<a class="skip" href="#main" @click=${skip}>Skip to content</a>
  <div class=${store.awaySince ? 'app away' : 'app'}>
    <header class="topbar">${brand(store.status?.node ?? '')}<button class="btn bare icon end" aria-label="List of keys" @click=${showKeys}>?</button>${themeButton('')}</header>
    ${rail(state)}
    <main id="main" tabindex="-1">${notices(state)}<section class="page" aria-labelledby="title">${view}</section></main>
    <div class="said-line" role="status" aria-live="polite">${state.said}</div>
  </div>${keys(state.redraw)}`;
}
export { made };
