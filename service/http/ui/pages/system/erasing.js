// Events of a camera taken away for good: first what would go is said, then it is asked once more.
import { html, nothing, live } from '../../lit.js';
import { note } from '../../parts/notice.js';
import { count } from '../../words.js';

const EMPTY = { stream: '', from: '', to: '' };
const shown = text => new Date(text).toLocaleString('en-GB', { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' });

export function makeErasing({ api, redraw, store, say }) {
  let fields = { ...EMPTY }, plan = null, fault = '', busy = false, asked = 0;
  const body = () => ({ stream: fields.stream.trim(), from: new Date(fields.from).toISOString(), to: new Date(fields.to).toISOString() });
  const forget = () => { asked += 1; plan = null; busy = false; fault = ''; };

  async function send(erase) {
    const mine = ++asked;
    busy = true; fault = '';
    redraw();
    try {
      const got = await api.send('POST', 'erase', { ...body(), erase }, { timeout: 0 });
      if (mine !== asked) return;
      plan = erase ? null : got;
      if (erase) { fields = { ...EMPTY }; say(`${count(got.events, 'event')} erased.`); store.refresh('status'); }
    } catch (error) {
      if (mine !== asked) return;
      fault = error.message;
    }
    busy = false;
    redraw();
  }
  function look(e) {
    e.preventDefault();
    if (busy) return;
    if (!(Date.parse(fields.from) < Date.parse(fields.to))) { fault = 'Until is later than From.'; redraw(); return; }
    send(false);
  }
  const set = part => { fields = { ...fields, ...part }; forget(); redraw(); };
  const moment = (key, words) => html`<label class="field"><span>${words}</span><input class="in" type="datetime-local" step="1" required .value=${live(fields[key])} @input=${e => set({ [key]: e.target.value })}></label>`;

  function told() {
    if (!plan) return nothing;
    const among = [plan.kept ? `${plan.kept} kept` : '', plan.judged ? `${plan.judged} judged` : ''].filter(Boolean).join(' and ');
    if (!plan.events) return html`<p role="status">${fields.stream} has no event from ${shown(fields.from)} to ${shown(fields.to)}.</p>`;
    return html`<div class="stack-s" role="status">${note('warn', 'warn', html`<strong>${count(plan.events, 'event')}</strong> of ${fields.stream}, ${shown(fields.from)} to ${shown(fields.to)}, and the frames that they saw${among ? `, ${among} among them` : ''}. Nothing brings them back.`)}
      <div class="row"><button type="button" class="btn" @click=${() => { forget(); redraw(); }}>Leave them</button><button type="button" class="btn bad-text end" aria-disabled=${String(busy)} @click=${() => busy || send(true)}>Erase ${count(plan.events, 'event')} for good</button></div></div>`;
  }
  return {
    stop: forget,
    view: () => (store.status?.journal === null ? nothing : html`<div class="panel w7 stack-s"><h2>Erase</h2>
      <form class="form" @submit=${look}><label class="field"><span>Camera</span><input class="in" list="erase-cameras" required maxlength="64" pattern="[a-z0-9_\\-]+" autocomplete="off" .value=${live(fields.stream)} @input=${e => set({ stream: e.target.value })}>
          <datalist id="erase-cameras">${(store.streams ?? []).map(one => html`<option value=${one.name}></option>`)}</datalist></label>
        <div class="row wrap">${moment('from', 'From')}${moment('to', 'Until')}</div>
        ${fault ? note('bad', 'warn', html`<span dir="auto">${fault}</span>`) : nothing}
        ${plan?.events ? nothing : html`<div class="row"><button class="btn end" aria-disabled=${String(busy)}>What would go</button></div>`}</form>${told()}</div>`),
  };
}
