// A token comes once in the address's fragment (`palisade open` prints it) or by hand; the browser then keeps it as a cookie.
import { html, nothing } from './lit.js';
import { icon } from './parts/icon.js';

export async function takeTokenOfAddress(api) {
  const found = /^#token=([\w-]+)(.*)$/.exec(location.hash);
  if (!found) return;
  history.replaceState(null, '', `${location.pathname}#${found[2].replace(/^#?/, '') || '/wall'}`);
  await logIn(api, found[1]);
}
export const logIn = (api, token) => api.send('POST', 'login', undefined, { headers: { Authorization: `Bearer ${token}` } });
export const logOut = api => api.send('DELETE', 'login');

// `was`: this browser was let in before, and no longer is.
export function loginPage({ was, fault, enter }) {
  const submit = event => { event.preventDefault(); enter(new FormData(event.target).get('token').trim()); };
  return html`<main id="main" class="page gate" tabindex="-1"><div class="panel stack">
    <h1 id="title" class="row">${icon('mark')}Palisade</h1>
    ${was ? html`<div class="box-note bad" role="alert">${icon('key')}<p><strong>This browser may no longer look in.</strong> Its token was revoked. On the machine, <span class="mono">palisade open</span> prints a new link.</p></div>`
    : html`<p class="t2">On the machine, <span class="mono">palisade open</span> prints a link that opens this page with a token in it. Or write a token here.</p>`}
    <form class="form" @submit=${submit}>
      <label class="field"><span>Token</span><input class="in mono" name="token" type="password" required autocomplete="current-password" spellcheck="false" aria-invalid=${fault ? 'true' : nothing} aria-describedby=${fault ? 'token-fault' : nothing}></label>
      ${fault ? html`<p class="small bad-text" id="token-fault" role="alert">${fault}</p>` : nothing}
      <button class="btn first">Open</button>
    </form></div></main>`;
}
