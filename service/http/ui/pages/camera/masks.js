// Masks and regions, drawn on the big picture: by mouse or finger (a press puts a corner, a drag moves one), or by keyboard.
import { html, svg, nothing, live as same } from '../../lit.js';
import { icon } from '../../parts/icon.js';
import { at } from '../../parts/at.js';
import { pointsOf } from '../../parts/layers.js';

const kKinds = { mask: { word: 'Mask', list: 'Masks' }, region: { word: 'Region', list: 'Regions' } };
const kMaxCorners = 64;
const inside = value => Math.min(1, Math.max(0, value));
const rounded = points => points.map(([x, y]) => [Number(x.toFixed(3)), Number(y.toFixed(3))]);

export function makeMasks({ context, editing }) {
  const { redraw, say } = context;
  let kind = 'mask', drawing = null, index = -1, held = -1; // `drawing`: the corners in 0 to 1 of the picture

  const areas = settings => (kind === 'mask' ? settings.masks ?? [] : settings.gate?.region ?? []);
  function put(settings, list) {
    if (kind === 'mask') { if (list.length) settings.masks = list; else delete settings.masks; return; }
    const gate = { motion: true, ...(settings.gate ?? {}) };
    if (list.length) settings.gate = { ...gate, region: list }; else { delete gate.region; settings.gate = gate; }
  }
  const start = (points, i) => { drawing = points; index = i; editing.forget(); redraw(); };
  const stop = () => { drawing = null; index = -1; redraw(); };
  const focus = i => requestAnimationFrame(() => requestAnimationFrame(() => document.querySelector(`[data-corner="${i}"]`)?.focus()));

  function corner() { // between the last and the first: where a keyboard can go on from
    if (drawing.length >= kMaxCorners) return;
    const next = drawing.length < 3 ? [[0.35, 0.35], [0.65, 0.35], [0.5, 0.65]][drawing.length] : [0, 1].map(axis => (drawing.at(-1)[axis] + drawing[0][axis]) / 2);
    drawing = [...drawing, next];
    say(`Corner ${drawing.length}.`);
    redraw();
    focus(drawing.length - 1);
  }
  function move(i, x, y) { drawing = drawing.map((point, k) => (k === i ? [inside(x), inside(y)] : point)); redraw(); }
  function remove(i) { drawing = drawing.filter((_, k) => k !== i); redraw(); if (drawing.length) focus(Math.min(i, drawing.length - 1)); }
  const placeOf = (event, element) => { const box = element.getBoundingClientRect(); return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]; };

  function press(event) { // on the picture: a new corner there
    if (event.button !== 0 || event.target.closest('[data-corner]')) return;
    event.preventDefault();
    if (drawing.length >= kMaxCorners) return;
    const [x, y] = placeOf(event, event.currentTarget);
    drawing = [...drawing, [inside(x), inside(y)]];
    held = drawing.length - 1;
    event.currentTarget.setPointerCapture(event.pointerId);
    redraw();
  }
  const take = (event, i) => { event.preventDefault(); event.target.focus(); held = i; event.target.closest('.drawing').setPointerCapture(event.pointerId); };
  const drag = event => { if (held >= 0) move(held, ...placeOf(event, event.currentTarget)); };
  const release = () => { held = -1; };
  function key(event, i) {
    const step = event.shiftKey ? 0.05 : 0.01, [x, y] = drawing[i];
    const way = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (way) move(i, x + way[0], y + way[1]);
    else if (event.key === 'Delete' || event.key === 'Backspace') remove(i);
    else return;
    event.preventDefault();
  }
  function save() {
    const points = rounded(drawing), i = index;
    editing.save(settings => { const list = [...areas(settings)]; if (i >= 0) list[i] = points; else list.push(points); put(settings, list); }, stop);
  }
  const drop = i => editing.save(settings => put(settings, areas(settings).filter((_, k) => k !== i)));

  return {
    get drawing() { return drawing !== null; },
    leave() { if (drawing) stop(); },
    // Lies over the big picture while one draws.
    over() {
      if (!drawing) return nothing;
      const text = drawing.map(([x, y]) => `${x * 100},${y * 100}`).join(' ');
      return html`<div class="drawing" @pointerdown=${press} @pointermove=${drag} @pointerup=${release} @pointercancel=${release}>
        <svg class="over" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${svg`<polygon class=${kind === 'mask' ? 'ov-mask draw' : 'ov-region'} vector-effect="non-scaling-stroke" points=${text}></polygon>`}</svg>
        ${drawing.map(([x, y], i) => html`<button class="handle" type="button" data-corner=${i} aria-label=${`Corner ${i + 1}, ${Math.round(x * 100)} % from the left, ${Math.round(y * 100)} % from the top`} ${at({ left: `${x * 100}%`, top: `${y * 100}%` })}
          @pointerdown=${event => take(event, i)} @keydown=${event => key(event, i)}></button>`)}</div>`;
    },
    view() {
      if (!editing.settings) return html`<p class="t3">${editing.fault ? editing.fault.message : 'Reading its masks'}</p>`;
      const list = areas(editing.settings), { word } = kKinds[kind];
      const choice = value => html`<label><input type="radio" name="draw" .checked=${same(kind === value)} ?disabled=${!!drawing} @change=${() => { kind = value; redraw(); }}>${kKinds[value].list}</label>`;
      return html`<fieldset class="seg"><legend class="vh">Draw</legend>${choice('mask')}${choice('region')}</fieldset>
        <p class="small t3">${kind === 'mask' ? 'Masks are black before anything sees the picture.' : 'Where motion counts: a window in which nothing moves there is not asked about.'}</p>
        ${drawing ? html`<p class="small t2">Press on the picture for a corner, and drag one to move it. By keyboard: Corner adds one; Tab to it, and the arrow keys move it by 1 %, with Shift by 5 %. Delete removes it.</p>
          <p class="small mono said-prompt" role="status">${drawing.length < 3 ? `${drawing.length} of at least 3 corners` : JSON.stringify(drawing.map(([x, y]) => [Number(x.toFixed(2)), Number(y.toFixed(2))]))}</p>
          ${editing.view()}
          <div class="row"><button class="btn" @click=${corner}>${icon('plus')}Corner</button><button class="btn bare" @click=${stop}>Cancel</button><button class="btn first end" ?disabled=${drawing.length < 3 || editing.busy} @click=${save}>Save ${word.toLowerCase()}</button></div>`
      : html`${list.map((area, i) => html`<div class="task"><p>${word} ${i + 1}</p><p class="t3">${pointsOf(area).length} corners</p><span class="row task-acts"><button class="btn bare icon" aria-label=${`Change ${word.toLowerCase()} ${i + 1}`} @click=${() => start(pointsOf(area), i)}>${icon('pen')}</button><button class="btn bare icon" aria-label=${`Remove ${word.toLowerCase()} ${i + 1}`} ?disabled=${editing.busy} @click=${() => drop(i)}>${icon('wrong')}</button></span></div>`)}
          ${list.length ? nothing : html`<p class="t2">None yet.</p>`}
          ${editing.view()}
          <button class="btn" @click=${() => start([], -1)}>${icon('plus')}${`New ${word.toLowerCase()}`}</button>`}`;
    },
  };
}
