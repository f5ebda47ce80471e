// Two pictures, one statement, how true it is.
import { html, nothing, live } from '../lit.js';
import { span } from '../words.js';
import { icon } from '../parts/icon.js';
import { note } from '../parts/notice.js';
import { probability } from '../parts/probability.js';
import { compare } from '../parts/compare.js';
import { makeAsking } from '../parts/asking.js';
import { certainWords } from '../parts/certain.js';
import { catchDrops, makeUploads } from '../parts/uploads.js';
import { makeSide } from './pairs/sides.js';

const BEGINNINGS = ['both images contain ', 'there are exactly two ', 'the images show the same'];
const AHEAD_MS = 60e3;

export function page(context) {
  const { api, redraw, store, route } = context;
  let shown = 50, statement = 'the images show the same', asked = [], answered = null, calibration = null, begun = false, target = null;
  const asking = makeAsking(context);
  const changed = () => { asked = []; answered = null; };
  const [left, right] = ['Left', 'Right'].map(name => makeSide({ api, redraw, name, onChange: changed }));
  const uploads = makeUploads({ api, redraw, most: 64 });
  const sides = [left, right];

  // The cameras' pictures to begin with: two cameras, or one a minute ago and now.
  function begin() {
    if (begun || !store.streams) return;
    begun = true;
    const [one, two = one] = store.streams.map(stream => stream.name);
    const ofRoute = key => { const value = route.query.get(key); return value && (/^(now|event):/.test(value) ? value : `now:${value}`); };
    if (ofRoute('left') || one) {
      const ago = new Date(context.now() - AHEAD_MS), local = new Date(ago - ago.getTimezoneOffset() * 60e3).toISOString().slice(0, 19);
      ofRoute('left') || one !== two ? left.choose(ofRoute('left') ?? `now:${one}`) : left.choose(`at:${one}`, local);
      right.choose(ofRoute('right') ?? `now:${two ?? one}`);
    }
  }
  function take(files, side) {
    const pictures = [...files].filter(file => file.type.startsWith('image/')).slice(0, 2);
    if (!pictures.length) return context.say('That is no picture. A pair is of two pictures; films are asked about on the page Ask.');
    const given = uploads.add(pictures);
    const free = side ? [side] : given.length === 2 ? sides : [sides.find(one => !one.picture) ?? right];
    given.slice(0, free.length).forEach((upload, i) => free[i].give(upload.file, upload));
  }
  const own = side => () => { target = side; document.getElementById('pair-file').click(); };
  // What stands in the way of the form as it is now, in words.
  function lacks() {
    if (!context.may('ask')) return 'This token may look, and not ask.';
    const empty = sides.find(side => !side.picture), sent = sides.every(side => !side.upload || side.upload.id);
    if (empty) return `Choose the ${empty.name.toLowerCase()} picture first.`;
    if (!sent) return 'The pictures are being sent, or were refused.';
    return statement.trim() ? asking.busy ? 'It is being asked.' : '' : 'Write a statement first.';
  }
  async function ask(e) {
    e.preventDefault();
    const words = statement.trim(), missing = lacks();
    if (missing) return context.say(missing);
    try {
      const pictures = await Promise.all(sides.map(side => side.given()));
      answered = null;
      const answer = await asking.ask({ prompt: `answer en ${words}`, type: 'choice:true,false', pictures });
      if (!answer) return;
      answered = { words, p: answer.choices?.find(one => one.text === 'true')?.p ?? null, text: answer.text, took: answer.timing_ms };
      asked = [answered, ...asked.filter(one => one.words !== words)];
    } catch (error) { context.say(error.message); }
    redraw();
  }
  const swap = () => { left.swap(right); changed(); redraw(); };

  const offDrops = catchDrops(files => take(files));
  const offStore = store.on(begin);
  begin();
  api.get('calibration', { task: 'pair' }).then(answer => { calibration = answer; redraw(); }, () => {});

  function stage() {
    if (left.picture && right.picture) return compare({ left: left.picture, right: right.picture, shown, onMove: to => { shown = to; redraw(); } });
    return html`<div class="compare"><span class="waiting"><strong>${sides.find(side => !side.picture).name} picture</strong><span>${store.streams?.length ? 'Choose a camera below, now or at a time, or drop two pictures.' : 'Drop two pictures anywhere on this page, or choose them below.'}</span></span></div>`;
  }
  function answer() {
    if (!answered) return asking.busy || asking.error ? asking.view() : nothing;
    const { p, text, took } = answered;
    return html`<div role="status"><div class="row"><span class="lead">${text}</span><span class="end small t3 num">${took ? `in ${span(took.total / 1000)}` : ''}</span></div>
      ${probability(p, { name: 'P(true)', threshold: 0.5, big: true })}
      <p class="small t3 num">P(true). ${calibration ? certainWords(calibration) : ''}</p></div>`;
  }
  const watched = () => sides.map(side => /^(?:now|at):(.*)/.exec(side.chosen)?.[1]).find(Boolean);

  return {
    title: 'Pairs',
    view() {
      const may = context.may('ask'), camera = watched();
      return html`<div class="head"><h1 id="title">Pairs</h1><span class="sub small">Two pictures, one statement, how true it is</span></div>
        <div class="cols late"><div>${stage()}
            <div class="sources">${left.view(store.streams, own(left))}<button type="button" class="btn icon" aria-label="Swap left and right" title="Swap" @click=${swap}>${icon('swap')}</button>${right.view(store.streams, own(right))}</div>
            <p class="small t3 row">${icon('drop')}Or drop one or two pictures anywhere on this page.</p>
            <input id="pair-file" class="vh" type="file" accept="image/*" tabindex="-1" aria-hidden="true" @change=${e => { take(e.target.files, target); e.target.value = ''; }}>
            ${uploads.all.filter(one => one.fault).map(one => note('bad', 'warn', html`<span dir="auto">${one.name}</span>: ${one.fault}`))}</div>
          <div class="stack"><div class="panel stack">
              <form class="form" @submit=${ask}><label class="field"><span>Statement</span><textarea class="in" rows="2" maxlength="1900" dir="auto" .value=${live(statement)} @input=${e => { statement = e.target.value; redraw(); }} @keydown=${e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) ask(e); }}></textarea></label>
                <div class="chips">${BEGINNINGS.map(words => html`<button type="button" class="chip" @click=${e => { statement = words; redraw(); e.target.closest('form').querySelector('textarea').focus(); }}>${words.trim()}${words.endsWith(' ') ? ' …' : ''}</button>`)}</div>
                <button class="btn first wide" aria-disabled=${String(!!lacks())}>Ask</button>
                ${may ? nothing : html`<p class="small t3">This token may look, and not ask.</p>`}</form>
              ${answer()}</div>
            ${camera ? html`<div class="panel stack-s"><h2>Watch for it</h2><p class="small t2">${camera} can compare itself with a while before or with a kept picture, and alert when the statement is true.</p><a class="btn" href="#/camera/${encodeURIComponent(camera)}">Its prompts</a></div>` : nothing}</div>
          ${asked.length ? html`<div class="panel"><h2>Asked of these two</h2><div class="scroll" tabindex="0" role="region" aria-label="Asked of these two"><table class="list"><thead><tr><th scope="col">Statement</th><th scope="col" class="n">P(true)</th></tr></thead>
            <tbody>${asked.map(one => html`<tr><th scope="row" dir="auto">${one.words}</th><td>${probability(one.p, { name: 'P(true)', threshold: 0.5 })}</td></tr>`)}</tbody></table></div></div>` : nothing}</div>`;
    },
    keys: { ArrowLeft: () => { shown = Math.max(0, shown - 1); redraw(); }, ArrowRight: () => { shown = Math.min(100, shown + 1); redraw(); } },
    moved: () => false,
    stop() { offDrops(); offStore(); asking.stop(); uploads.stop(); sides.forEach(side => side.stop()); },
  };
}
