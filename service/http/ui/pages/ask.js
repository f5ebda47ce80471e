// A question about a camera's last seconds, its newest picture, or about pictures and films of one's own; the answer as it comes.
import { html, nothing, live, repeat } from '../lit.js';
import { p2, stamp } from '../words.js';
import { layers } from '../parts/layers.js';
import { maskCanvas } from '../parts/mask_canvas.js';
import { sheetCell } from '../parts/player.js';
import { makePictures } from '../parts/live_picture.js';
import { makeAsking } from '../parts/asking.js';
import { probability } from '../parts/probability.js';
import { catchDrops, makeUploads } from '../parts/uploads.js';

const SPANS = [['10s', 'Last 10 s'], ['', 'Newest picture']];
const KINDS = [['', 'In words'], ['yes_no', 'Yes or no'], ['count:10', 'A number']];
const STARTS = [['what moves?', ''], ['is there a person?', 'yes_no'], ['how many cars are there?', 'count:10'], ['caption en', ''], ['detect person ; car', '']];

export function page(context) {
  const { api, redraw, store, route } = context;
  let about = route.query.get('camera') ? 'camera' : '', camera = route.query.get('camera') ?? '', last = '10s', prompt = 'what moves?', kind = '';
  const asking = makeAsking(context);
  const uploads = makeUploads({ api, redraw }), pictures = makePictures({ api, redraw });
  const take = files => { about = 'own'; uploads.add(files); };
  const offDrops = catchDrops(take);

  const cameras = () => (store.streams ?? []).map(stream => stream.name);
  const chosen = () => about || (store.streams && !cameras().length ? 'own' : 'camera');
  const source = () => camera || cameras()[0] || '';
  // What stands in the way of the form as it is now, in words.
  function lacks() {
    if (!context.may('ask')) return 'This token may look, and not ask.';
    if (chosen() === 'own' && !uploads.ready) return uploads.all.length ? 'Pictures are being sent, or were refused.' : 'Choose pictures or a film first.';
    if (chosen() !== 'own' && !source()) return 'There is no camera to ask about.';
    return prompt.trim() ? asking.busy ? 'It is being asked.' : '' : 'Write a question first.';
  }
  const given = () => (chosen() === 'own' ? { pictures: uploads.pictures } : { stream: source(), ...(last ? { last } : {}) });

  function ask(e) {
    e.preventDefault();
    const missing = lacks();
    if (missing) context.say(missing);
    else asking.ask({ prompt: prompt.trim(), sheet: true, ...(kind ? { type: kind } : {}), ...given() });
  }
  const choice = (name, legend, all, now, set) => html`<fieldset class="seg"><legend class="vh">${legend}</legend>${all.map(([value, words]) => html`<label><input type="radio" name=${name} .checked=${live(value === now)} @change=${() => { set(value); redraw(); }}>${words}</label>`)}</fieldset>`;

  function subject() {
    if (chosen() === 'own') return html`${uploads.zone('Drop a film or up to sixteen pictures')}${uploads.list()}`;
    if (!cameras().length) return html`<p class="t2">${store.streams ? html`No camera yet. <a href="#/first">Add one</a>, or ask about pictures of your own.` : 'Reading the cameras'}</p>`;
    return html`<div class="row wrap"><label class="field"><span class="vh">Camera</span><select class="in" .value=${live(source())} @change=${e => { camera = e.target.value; redraw(); }}>${cameras().map(name => html`<option value=${name} ?selected=${name === source()}>${name}</option>`)}</select></label>
      ${choice('last', 'How much of it', SPANS, last, value => { last = value; })}</div>
      ${asking.sheet ? nothing : html`<div class="pic">${repeat([source()], name => name, name => pictures.picture(name, `What ${name} sees now`))}</div>`}`;
  }
  // What was asked about: one picture with what was found in it, or all of them, small.
  function seen() {
    const { boxes = [], frames = [] } = asking.answer ?? {}, masks = boxes.flatMap(box => box.mask ?? []);
    if (!asking.sheet || !frames.length) return nothing;
    if (frames.length === 1) return html`<div class="pic seen">${sheetCell(asking.sheet, 0, 1, 'The picture that was asked about')}${masks.length ? maskCanvas(masks) : nothing}${boxes.length ? layers({ boxes }) : nothing}</div>`;
    return html`<div class="seen" role="group" aria-label="The ${frames.length} pictures that were asked about"><div class="frames">${frames.map((frame, i) => html`<div title=${stamp(frame.time)}>${sheetCell(asking.sheet, i, frames.length, `Picture ${i + 1}`)}</div>`)}</div></div>`;
  }
  function more() {
    if (!asking.answer) return nothing;
    const { choices = [], boxes = [], prompt: read, malformed } = asking.answer;
    return html`${choices.length > 2 ? html`<ul class="choices" aria-label="All it could have answered">${choices.map(one => html`<li><span dir="auto">${one.text}</span>${probability(one.p, { name: `P(${one.text})` })}</li>`)}</ul>` : nothing}
      ${boxes.length ? html`<p class="small">Found ${boxes.map(box => `${box.label}${box.confidence === undefined ? '' : ` ${p2(box.confidence)}`}`).join(', ')}</p>` : malformed?.length ? html`<p class="small">It found nothing that can be drawn.</p>` : nothing}
      <p class="small t3">The model read <span class="mono" dir="auto">${read}</span></p>`;
  }

  return {
    title: 'Ask',
    view() {
      const may = context.may('ask');
      return html`<div class="head"><h1 id="title">Ask</h1><span class="sub small">A question, and the pictures it is about</span></div>
        <div class="cols"><div><div class="panel stack">
              ${choice('about', 'About', [['camera', 'A camera'], ['own', 'Pictures or a film']], chosen(), value => { about = value; })}
              ${subject()}</div>
            ${seen()}</div>
          <div class="stack"><div class="panel stack"><form class="form" @submit=${ask}>
              <label class="field"><span>Question</span><textarea class="in" rows="2" maxlength="2000" dir="auto" .value=${live(prompt)} @input=${e => { prompt = e.target.value; redraw(); }}
                @keydown=${e => { if (e.key === 'Enter' && !e.shiftKey && !e.isComposing) ask(e); }}></textarea></label>
              <div class="chips">${STARTS.map(([words, its]) => html`<button type="button" class="chip" @click=${() => { prompt = words; kind = its; redraw(); }}>${words}</button>`)}</div>
              ${choice('kind', 'Answer', KINDS, kind, value => { kind = value; })}
              <button class="btn first wide" aria-disabled=${String(!!lacks())}>Ask</button>
              ${may ? nothing : html`<p class="small t3">This token may look, and not ask.</p>`}</form>
            ${asking.view({ frames: false })}${more()}</div>
            <p class="small t3">PaliGemma follows no instructions: it answers a question about what is seen. A line that begins with <span class="mono">caption</span>, <span class="mono">detect</span> or <span class="mono">segment</span> is read as it is.</p></div></div>`;
    },
    moved: () => false,
    stop() { offDrops(); asking.stop(); uploads.stop(); pictures.stop(); },
  };
}
