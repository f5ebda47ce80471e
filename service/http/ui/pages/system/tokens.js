// Who may look, ask, change: tokens made, shown once, and taken back.
import { html, nothing, live } from '../../lit.js';
import { note } from '../../parts/notice.js';

const SCOPES = [['view', 'look'], ['ask', 'look and ask'], ['edit', 'change cameras'], ['admin', 'everything']];

export function makeTokens({ api, redraw, store, holder, may }) {
  let all = null, fault = '', open = false, made = null, leaving = '', name = '', scope = 'view', streams = [], stopped = false;

  async function load() {
    try { ({ tokens: all } = await api.get('tokens')); } catch (error) { fault = error.message; }
    if (!stopped) redraw();
  }
  async function make(e) {
    e.preventDefault();
    fault = '';
    try {
      made = await api.send('POST', 'tokens', { name: name.trim(), scope, ...(streams.length ? { streams } : {}) });
      [name, streams, open] = ['', [], false];
      await load();
    } catch (error) { fault = error.message; }
    redraw();
  }
  async function drop(token) {
    if (leaving !== token.name) { leaving = token.name; redraw(); return; }
    fault = '';
    try { await api.send('DELETE', `tokens/${encodeURIComponent(token.name)}`); if (made?.name === token.name) made = null; await load(); } catch (error) { fault = error.message; }
    leaving = '';
    redraw();
  }
  if (may('admin')) load();

  const words = value => SCOPES.find(([one]) => one === value)?.[1] ?? value;
  const form = () => html`<form class="form" @submit=${make}>
    <label class="field"><span>Name</span><input class="in" required maxlength="64" pattern="[a-z0-9_\\-]+" autocomplete="off" .value=${live(name)} @input=${e => { name = e.target.value; }}><small>Small letters, digits, _ and -.</small></label>
    <label class="field"><span>May</span><select class="in" .value=${live(scope)} @change=${e => { scope = e.target.value; redraw(); }}>${SCOPES.map(([value, says]) => html`<option value=${value} ?selected=${value === scope}>${value}: ${says}</option>`)}</select></label>
    ${scope !== 'admin' && store.streams?.length ? html`<fieldset class="field"><legend>Of these cameras; none chosen: of all</legend><div class="chips">${store.streams.map(stream => html`<label><input type="checkbox" .checked=${live(streams.includes(stream.name))}
      @change=${e => { streams = e.target.checked ? [...streams, stream.name] : streams.filter(one => one !== stream.name); redraw(); }}>${stream.name}</label>`)}</div></fieldset>` : nothing}
    <div class="row"><button type="button" class="btn" @click=${() => { open = false; redraw(); }}>Cancel</button><button class="btn first end">Make it</button></div></form>`;

  function row(token) {
    const own = token.name === holder.name;
    return html`<tr><th scope="row">${token.name}${own ? html` <span class="t3">this browser</span>` : nothing}</th><td>${token.scope}${token.streams?.length ? `, ${token.streams.join(', ')}` : ''}</td>
      <td class="n">${own ? nothing : html`<button type="button" class="btn bare" aria-label="${leaving === token.name ? 'Yes, revoke' : 'Revoke'} ${token.name}" @click=${() => drop(token)}>${leaving === token.name ? 'Really?' : 'Revoke'}</button>`}</td></tr>`;
  }
  return {
    stop() { stopped = true; },
    view: () => html`<div class="panel w12"><div class="panel-head"><h2>Tokens</h2>${open ? nothing : html`<button type="button" class="btn end" @click=${() => { open = true; made = null; redraw(); }}>New token</button>`}</div>
      ${fault ? note('bad', 'warn', html`<span dir="auto">${fault}</span>`) : nothing}
      ${made ? html`<div class="box-note" role="status"><p><strong>${made.name}</strong> may ${words(made.scope)}. Its text is shown this once:</p><p class="mono said-prompt" id="new-token">${made.token}</p></div>` : nothing}
      ${open ? form() : nothing}
      ${all ? html`<div class="scroll" tabindex="0" role="region" aria-label="Tokens"><table class="list"><thead><tr><th scope="col">Name</th><th scope="col">May</th><th scope="col" class="n"><span class="vh">Revoke</span></th></tr></thead><tbody>${all.map(row)}</tbody></table></div>` : nothing}</div>`,
  };
}
