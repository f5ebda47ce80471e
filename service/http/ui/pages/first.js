// From nothing to the first sentence: what to watch, what to ask, the first answer.
import { html, nothing, live as same } from '../lit.js';
import { icon } from '../parts/icon.js';
import { note, problems } from '../parts/notice.js';
import { forecast } from '../parts/forecast.js';
import { stakesTo } from '../parts/stakes.js';
import { makePictures } from '../parts/live_picture.js';
import { makeAsking } from '../parts/asking.js';
import { probability } from '../parts/probability.js';
import { objectUrl } from '../parts/data_url.js';
import { lens, street } from './first/art.js';
import { answerOf, asks } from '../words.js';
import { kFirst, settingsOf } from './first/sources.js';

const kSources = [['street', 'A simulated street', 'Ships with Palisade. The demo model knows it well.', street], ['camera', 'A camera', 'RTSP or HTTP. Needs its address and password.', lens], ['film', 'A film or pictures', 'Asked about once. They stay for a day.', null]];
const kSteps = ['Source', 'Question', 'First answer'];

export function page(context) {
  const { api, live, store, redraw } = context;
  let source = '', tried = null, trying = false, picture = '', plan = null, fault = null, started = '', first = null, files = null, uploads = [], loading = false, trial = 0;
  const fields = { url: '', username: '', password: '', name: '', preset: 'caption' };
  const pictures = makePictures({ api, redraw, every: 500 });
  const asking = makeAsking({ api, redraw });
  const off = live.on(({ type, event }) => { if (started && type === 'answer' && event.subject === started && !first) { first = event; redraw(); } });

  const freeName = stem => { for (let i = 1; ; i += 1) { const name = i === 1 ? stem : `${stem}_${i}`; if (!store.stream(name)) return name; } };
  function choose(next) {
    source = next; plan = null; forgetTrial();
    fields.name = freeName(next === 'street' ? 'street' : 'front_door');
    if (next === 'street') tryIt();
    redraw();
  }
  function set(values) { Object.assign(fields, values); if (values.url !== undefined || values.username !== undefined || values.password !== undefined) forgetTrial(); fault = null; redraw(); if (tried?.opened) askPlan(); }
  const forget = () => { if (picture) URL.revokeObjectURL(picture); picture = ''; };
  const forgetTrial = () => { trial += 1; trying = false; tried = null; fault = null; forget(); };

  async function tryIt() {
    forgetTrial();
    const mine = trial;
    trying = true;
    redraw();
    try {
      const got = await api.send('POST', 'streams/try', settingsOf(source, fields));
      if (mine !== trial) return;
      tried = got;
      if (got.opened) { picture = objectUrl(got.picture); askPlan(); }
    } catch (error) { if (mine === trial) fault = error; }
    if (mine === trial) trying = false;
    redraw();
  }
  async function askPlan() {
    try { plan = await api.send('POST', 'capacity', settingsOf(source, fields)); } catch { plan = null; }
    redraw();
  }
  // What stands in the way of the form as it is now, in words.
  function lacks() {
    if (trying) return 'It is being tried.';
    if (source === 'film') return loading ? 'They are being sent.' : uploads.length ? '' : 'Choose a film or pictures first.';
    return source === 'camera' && !fields.url.trim() ? 'Write the address first.' : '';
  }
  async function start(event, force) {
    event.preventDefault();
    const missing = lacks();
    if (missing) return context.say(missing);
    if (source === 'film') return askFilm();
    if (!tried?.opened) return tryIt();
    fault = null;
    try {
      const settings = settingsOf(source, fields);
      await api.full('PUT', `streams/${encodeURIComponent(settings.name)}`, { body: settings, headers: { 'If-None-Match': '*' }, query: force ? { force: 1 } : {} });
      started = settings.name;
      store.refresh('streams');
    } catch (error) { fault = error.status === 412 ? Object.assign(error, { message: `There is a camera ${fields.name} already. Give this one another name.` }) : error; }
    redraw();
  }
  async function take(list) {
    files = [...list].slice(0, 16);
    uploads = []; loading = true; fault = null; forget();
    if (files[0]?.type.startsWith('image/')) picture = URL.createObjectURL(files[0]);
    redraw();
    try { for (const file of files) uploads.push(await api.upload(file)); } catch (error) { fault = error; }
    loading = false;
    redraw();
  }
  function askFilm() {
    started = 'film';
    const { prompt, type } = kFirst[fields.preset];
    asking.ask({ prompt, ...(type ? { type } : {}), pictures: uploads.map(one => ({ upload: one.id })), sheet: true });
  }

  const refused = field => field !== 'name' && tried && !tried.opened;
  const input = (field, more) => html`<input class="in" .value=${same(fields[field])} spellcheck="false" autocapitalize="off" autocomplete="off" type=${more?.type ?? 'text'} placeholder=${more?.placeholder ?? nothing} maxlength=${more?.max ?? 2000}
    pattern=${more?.pattern ?? nothing} ?required=${!!more?.required} aria-invalid=${refused(field) ? 'true' : nothing} aria-describedby=${refused(field) ? 'try-out' : nothing} @input=${event => set({ [field]: event.target.value })}>`;
  function form() {
    const opens = source !== 'film' && !tried?.opened;
    return html`<form class="form" @submit=${start}>
      ${source === 'camera' ? html`<label class="field"><span>Address</span>${input('url', { placeholder: 'rtsp://192.0.2.10/stream', required: true })}<small>Most cameras show it under Network or RTSP.</small></label>
        <div class="two"><label class="field"><span>Name</span>${input('username')}</label><label class="field"><span>Password</span>${input('password', { type: 'password' })}</label></div>` : nothing}
      ${source === 'film' ? html`<label class="drop" @dragover=${event => event.preventDefault()} @drop=${event => { event.preventDefault(); take(event.dataTransfer.files); }}>${icon('drop')}<strong>Drop a film or up to sixteen pictures</strong><span class="small t3">${loading ? 'Sending them' : files ? files.map(file => file.name).join(', ').slice(0, 200) : 'MP4, MKV, JPEG, PNG, up to 64 MB'}</span>
        <input type="file" multiple accept="image/*,video/*" aria-label="A film or up to sixteen pictures" @change=${event => take(event.target.files)}></label>`
    : html`<label class="field"><span>Call it</span>${input('name', { required: true, pattern: '[a-z0-9_\\-]{1,64}', max: 64 })}<small>Small letters, digits, _ and -.</small></label>`}
      <fieldset class="field"><legend>Ask it</legend><div class="chips">${Object.entries(kFirst).map(([key, one]) => html`<label><input type="radio" name="preset" .checked=${same(fields.preset === key)} @change=${() => set({ preset: key })}>${one.label}</label>`)}</div></fieldset>
      ${fault ? html`<div role="alert">${fault.plan ? note('warn', 'warn', html`<strong>Too much for this machine:</strong> ${fault.plan.plan}.`) : note('bad', 'warn', problems(fault))}</div>` : nothing}
      <div class="row">${source === 'camera' && tried?.opened ? html`<button type="button" class="btn" @click=${tryIt}>Try again</button>` : nothing}
        ${fault?.plan ? html`<button type="button" class="btn" @click=${event => start(event, true)}>Start all the same</button>` : nothing}
        <button class="btn first end" aria-disabled=${String(!!lacks())}>${trying ? 'Trying' : opens ? (tried ? 'Try again' : 'Try') : source === 'film' ? 'Ask' : 'Start watching'}</button></div></form>`;
  }
  function outcome() {
    if (trying) return html`<div class="pic"><div class="mid">${stakesTo(3)}<p>Trying ${source === 'street' ? 'the street' : fields.url.replace(/^\w+:\/\//, '').replace(/^[^/]*@/, '').slice(0, 60)}</p><small>gives up after 15 s</small></div></div>`;
    if (tried && !tried.opened) return html`<div class="pic"><div class="mid">${icon('off')}<p>No picture</p><small>after ${tried.seconds?.toFixed?.(1) ?? '?'} s</small></div></div>${note('bad', 'warn', tried.message, 'try-out')}`;
    if (picture) return html`<div class="pic"><img src=${picture} width="640" height="360" alt="What it sees"></div>${tried ? note('', 'right', `This is what it sees: ${tried.width} × ${tried.height}.`) : nothing}`;
    return html`<div class="pic"><div class="mid">${icon(source === 'film' ? 'film' : 'camera')}<small>${source === 'film' ? 'The first picture appears here' : 'Try shows its picture here'}</small></div></div>`;
  }
  function answering() { // the camera is watched: wait for its first answer
    const stream = store.stream(started), have = Math.min(16, stream?.counts?.frames ?? 0), state = stream?.state?.state;
    const last = first ? null : stream?.tasks.find(task => task.last)?.last;
    const { said, p, name } = answerOf(first ?? last ?? {}), done = first || last;
    return html`<div class="panel flow first-form"><div class="pic">${pictures.picture(started, done ? said : `What ${started} sees`)}</div>
      <div class="stack"><div role="status" class="stack-s">${done ? html`<p class="lead first-answer" dir="auto">${said}</p>${stream ? html`<p class="t2">${asks(stream.tasks[0])}</p>` : nothing}${probability(p, { name })}` : html`${stakesTo(have)}<p class="small t3">${state && state !== 'online' && state !== 'connecting' ? `${state}: ${stream.state.reason ?? ''}` : have < 16 ? 'Collecting its first pictures' : 'Reading them'}</p>`}</div>
      <div class="row wrap"><a class=${done ? 'btn first' : 'btn'} href="#/wall">To the wall</a><a class="btn" href=${`#/camera/${encodeURIComponent(started)}`}>Change what it is asked</a></div></div></div>`;
  }
  function view() {
    const step = started ? 2 : (source === 'film' ? uploads.length : tried?.opened) ? 1 : 0;
    return html`<div class="firstrun"><div class="head"><h1 id="title">${(store.streams ?? []).some(stream => stream.name !== started) ? 'What shall Palisade watch next?' : 'What shall Palisade watch first?'}</h1><p>Two minutes from here to the first sentence. Nothing leaves this machine.</p></div>
      <ol class="crumb">${kSteps.map((words, i) => html`<li class=${i < step ? 'done' : ''} aria-current=${i === step ? 'step' : nothing}><b>${i + 1}</b>${words}</li>`)}</ol>
      ${started && started !== 'film' ? answering() : html`<fieldset><legend class="vh">Source</legend><div class="tiles">${kSources.map(([key, title, words, art]) => html`<label class="choice"><input type="radio" name="source" value=${key} .checked=${same(source === key)} @change=${() => choose(key)}><span class="pic">${art ? art() : html`<span class="mid">${icon('film')}</span>`}</span><span class="txt"><strong>${title}</strong><span>${words}</span></span></label>`)}</div></fieldset>
      ${source ? html`<div class="panel flow first-form">${form()}<div class="stack-s"><div class="stack-s" role="status">${outcome()}</div>${started === 'film' ? asking.view() : plan ? forecast({ used: Math.max(0, plan.used - plan.share), share: plan.share, fits: plan.fits, text: plan.fits ? 'The first answer comes a few seconds after you start.' : plan.plan }) : nothing}</div></div>` : nothing}`}</div>`;
  }
  return { title: 'Add a camera', view, stop() { off(); pictures.stop(); asking.stop(); forget(); } };
}
