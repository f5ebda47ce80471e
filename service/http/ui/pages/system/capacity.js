// The engine's time, shared among cameras; and what some more like one of them would do.
import { html, svg, nothing, live } from '../../lit.js';
import { share } from '../../words.js';

const SHADES = ['a1', 'a2', 'a3', 'a4', 'a5'], MOST = 8;

export function makeCapacity({ api, redraw, may }) {
  let more = 1, like = '', plan = null, asked = '', stopped = false;
  return {
    get more() { return more; },
    get like() { return like; },
    get plan() { return plan; },
    set(change) { ({ more = more, like = like } = change); redraw(); },
    stop() { stopped = true; },
    // What the planner says of one more like this camera, for who may see its settings.
    async forecast(name) {
      if (!may('edit') || !name || asked === name) return;
      asked = name;
      plan = null;
      try {
        const { settings } = await api.get(`streams/${encodeURIComponent(name)}`);
        const entry = { ...settings, name: `${name.slice(0, 55)}_more` };
        const answer = await api.send('POST', 'capacity', entry);
        if (!stopped && asked === name) plan = answer;
      } catch (error) {
        if (asked === name) plan = { fault: error.message };
      }
      redraw();
    },
  };
}

const key = (shade, words) => html`<span><svg viewBox="0 0 1 1" aria-hidden="true"><rect class=${shade} width="1" height="1"></rect></svg>${words}</span>`;

export function capacityPanel(state, { capacity, streams }) {
  if (!capacity) return html`<div class="panel w8"><h2>Capacity</h2><p class="t2 small">Measured over the last minutes; it appears after the first answers.</p></div>`;
  const uses = [...capacity.streams].sort((a, b) => b.share - a.share), like = uses.find(one => one.name === state.like) ?? uses[0];
  if (like) state.forecast(like.name);
  let x = 0;
  const bar = (width, shade, words) => { const rect = svg`<rect class=${shade} x=${x} width=${Math.max(0, width - 0.35)} height="1"><title>${words}</title></rect>`; x += width; return rect; };
  const rects = uses.map((one, i) => bar(one.share * 100, `g-acc ${SHADES[i % 5]}`, `${one.name} ${share(one.share)}`));
  const others = Math.max(0, capacity.used - uses.reduce((sum, one) => sum + one.share, 0));
  if (others > 0.005) rects.push(bar(others * 100, 'g-base', `questions of people ${share(others)}`));
  const each = state.plan?.share ?? like?.share ?? 0, whole = capacity.used + (like ? state.more * each : 0);
  if (like) for (let k = 0; k < state.more; k++) rects.push(bar(each * 100, x + each * 100 > 100 ? 'g-bad' : 'g-quiet', 'one more'));
  const says = state.more === 0 ? 'As it is.' : whole <= 0.9 ? `${share(whole)} of this machine: fits, nothing is lost.` : whole <= 1 ? `${share(whole)}: fits, but a busy minute would drop windows.` : `${share(whole)}: too much. Windows would fall to fewer pictures, then be left out.`;
  return html`<div class="panel w8"><div class="panel-head"><h2>Capacity</h2><span class="end small t3 num">${share(capacity.free)} free</span></div>
    <svg class="bar tall" viewBox="0 0 100 1" preserveAspectRatio="none" role="img" aria-label=${uses.map(one => `${one.name} ${share(one.share)}`).join(', ') || 'nothing used'}>${rects}</svg>
    <div class="keyed num">${uses.map((one, i) => key(`g-acc ${SHADES[i % 5]}`, `${one.name} ${share(one.share)}`))}${others > 0.005 ? key('g-base', `questions of people ${share(others)}`) : nothing}${like && state.more ? key('g-quiet', state.more === 1 ? 'one more' : `${state.more} more`) : nothing}</div>
    ${like ? html`<div class="what-if"><label class="field"><span>What if <output>${state.more}</output> more like</span>
        <input type="range" min="0" max=${MOST} .value=${live(String(state.more))} aria-label="How many more cameras like ${like.name}" aria-valuetext="${state.more} more" @input=${e => state.set({ more: Number(e.target.value) })}></label>
      <label class="field"><span class="vh">Like which camera</span><select class="in" .value=${live(like.name)} @change=${e => state.set({ like: e.target.value })}>${uses.map(one => html`<option value=${one.name} ?selected=${one === like}>${one.name}</option>`)}</select></label>
      <p role="status">${says}</p>
      ${state.plan?.fault ? html`<p class="small t2 plan" dir="auto">${state.plan.fault}</p>` : state.plan?.plan ? html`<details class="plan"><summary class="small">What the planner says of one more</summary><pre class="small mono" tabindex="0">${state.plan.plan}</pre></details>` : nothing}</div>`
      : html`<p class="small t2">${streams?.length ? 'Nothing has been answered in the last minutes.' : 'No camera is followed yet.'}</p>`}</div>`;
}
