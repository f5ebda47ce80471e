// What a camera is asked: the list, and the form to change one, with a trial and a forecast before it is saved.
import { html, nothing, live as same } from '../../lit.js';
import { icon } from '../../parts/icon.js';
import { note } from '../../parts/notice.js';
import { forecast } from '../../parts/forecast.js';
import { makeAsking } from '../../parts/asking.js';
import { count, secondsSince } from '../../words.js';
import { apply, draftOf, freshDraft, kEvery, kPresets, nameOf, presetOf, promptOf, removeTask } from './presets.js';

const kForecastAfter = 500, kPairWait = 10;
const wait = ms => new Promise(done => setTimeout(done, ms));
const base64 = async blob => new Promise(done => { const reader = new FileReader(); reader.onload = () => done(reader.result); reader.readAsDataURL(blob); });

export function makePrompts({ context, name, editing }) {
  const { api, redraw, store } = context;
  let draft = null, index = -1, plan = null, planTimer = 0, trial = null, watching = '';
  const asking = makeAsking({ api, redraw });
  const open = (next, at) => { draft = next; index = at; trial = null; asking.cancel(); editing.forget(); askPlan(); };
  const close = () => { draft = null; index = -1; trial = null; redraw(); };

  function set(values) {
    Object.assign(draft, values);
    trial = null;
    askPlan();
    redraw();
  }
  function choose(preset) {
    const fresh = freshDraft(preset), words = draft.question;
    draft = { ...fresh, name: draft.name, question: words && !Object.values(kPresets).some(one => one.draft.question === words) ? words : fresh.question };
    set({});
  }
  function askPlan() {
    clearTimeout(planTimer);
    planTimer = setTimeout(async () => {
      if (!draft || (draft.preset !== 'caption' && !draft.question.trim())) return;
      try { plan = await api.send('POST', 'capacity', { ...editing.changed(settings => apply(settings, draft, index)), name }); } catch { plan = null; }
      redraw();
    }, kForecastAfter);
  }
  // How often the last hour's answers of the same question would have alerted: so many in a row from the threshold on.
  async function alertsOfLastHour() {
    const old = index >= 0 ? editing.settings.tasks[index] : null;
    if (!old || draftOf(editing.settings, old).question !== draft.question || !draft.alert) return null;
    const { events } = await api.get('events', { stream: name, task: nameOf(old), kind: 'answer', from: '1h', limit: 1000 });
    let row = 0, alerts = 0;
    for (const { event } of events.reverse()) {
      const yes = event.data.choices?.find(choice => choice.text === 'yes' || choice.text === 'true');
      row = yes && yes.p >= Number(draft.above) ? row + 1 : 0;
      if (row === (Number(draft.row) || 1)) alerts += 1;
    }
    return { alerts, of: events.length };
  }
  const picture = async () => base64(await (await api.ask('GET', `streams/${encodeURIComponent(name)}/picture.jpg`)).blob());
  const lacks = () => (draft.preset === 'caption' || draft.preset === 'other' || draft.question.trim() ? '' : 'Write what it is asked first.');
  async function tryIt() {
    const missing = lacks();
    if (missing || asking.busy || watching) return context.say(missing || 'It is being asked.');
    trial = null;
    const pair = kPresets[draft.preset]?.pair;
    const body = { prompt: draft.preset === 'caption' ? 'caption en' : draft.question.trim() };
    if (draft.preset === 'yesno') body.type = 'yes_no';
    if (draft.preset === 'count') body.type = 'count:20';
    if (pair) {
      const seconds = Math.min(kPairWait, Number.parseFloat(draft.every) || kPairWait);
      watching = `A picture is taken now, and another in ${seconds} s.`;
      redraw();
      try { const first = await picture(); await wait(seconds * 1000); body.pictures = [first, await picture()]; } catch (error) { watching = ''; trial = { fault: error.message }; redraw(); return; }
      watching = '';
    } else {
      body.stream = name;
      if (draft.frames !== '1') Object.assign(body, { last: '10s' });
    }
    const answer = await asking.ask(body);
    try { if (answer) trial = { hour: await alertsOfLastHour() }; } catch { /* no journal to look into */ }
    redraw();
  }
  function save(event) {
    event.preventDefault();
    const missing = lacks();
    if (missing || editing.busy) return context.say(missing || 'It is being saved.');
    const mine = draft;
    editing.save(settings => apply(settings, mine, index), () => { if (draft === mine) close(); });
  }
  const remove = at => editing.save(settings => removeTask(settings, at), close);

  function row(task, at) {
    const rule = (editing.settings.rules ?? []).find(one => one.task === nameOf(task)), words = task.question ?? task.statement ?? task.objects ?? (task.task === 'caption' ? 'What happens?' : task.task);
    const last = store.stream(name)?.tasks.find(one => one.name === nameOf(task))?.last;
    const facts = [draftOf(editing.settings, task).frames === '1' ? 'one picture' : count(Number(draftOf(editing.settings, task).frames), 'picture'), `every ${draftOf(editing.settings, task).every}`, rule ? `alert at ${Number(rule.above ?? 0).toFixed(2)}${rule.of ? `, ${rule.of}` : ''}` : '',
      last ? `answered ${Math.round(secondsSince(last.time, context.now()))} s ago` : ''].filter(Boolean).join(' · ');
    return html`<div class="task"><p dir="auto">${words}</p><p class="t3">${facts}</p><button class="btn bare icon" aria-label=${`Edit ${words}`} aria-pressed=${String(index === at)} @click=${() => (index === at ? close() : open(draftOf(editing.settings, task), at))}>${icon('pen')}</button></div>`;
  }
  const radio = (group, value, label, checked, change) => html`<label><input type="radio" name=${group} value=${value} .checked=${same(checked)} @change=${change}>${label}</label>`;
  const options = (values, chosen) => (values.includes(chosen) ? values : [chosen, ...values]).map(value => html`<option value=${value} ?selected=${value === chosen}>${value}</option>`);

  function alertFields() {
    return html`<label class="check wide2"><input type="checkbox" .checked=${same(draft.alert)} @change=${event => set({ alert: event.target.checked })}> Alert</label>
      ${draft.alert ? html`<label class="field"><span>Alert at ${kPresets[draft.preset].pair ? 'P(true)' : 'P(yes)'}</span><input class="in" type="number" min="0.01" max="0.99" step="0.01" required .value=${same(draft.above)} @input=${event => set({ above: event.target.value })}></label>
        <label class="field"><span>In a row</span><select class="in" @change=${event => set({ row: event.target.value })}>${options(['1', '2', '3', '5'], draft.row)}</select></label>` : nothing}`;
  }
  function form() {
    const preset = kPresets[draft.preset], fresh = index < 0;
    return html`<form class="form" @submit=${save}>
      ${preset || fresh ? html`<fieldset><legend class="vh">Preset</legend><div class="chips">${Object.entries(kPresets).map(([key, one]) => radio('preset', key, one.label, draft.preset === key, () => choose(key)))}</div></fieldset>`
    : html`<p class="small t2">${editing.settings.tasks[index].task}: ${draft.question}. Its other settings stand in the configuration.</p>`}
      ${preset?.asks ? html`<label class="field"><span>${preset.asks}</span><input class="in" maxlength="200" required .value=${same(draft.question)} @input=${event => set({ question: event.target.value })}></label>` : nothing}
      ${promptOf(draft) && preset ? html`<p class="small t3">The model reads <span class="mono said-prompt">${promptOf(draft)}</span></p>` : nothing}
      <div class="two">
        ${preset?.frames ? html`<fieldset class="field"><legend>Pictures</legend><div class="seg full">${preset.frames.map(frames => radio('frames', frames, frames, draft.frames === frames, () => set({ frames })))}</div></fieldset>` : nothing}
        <label class="field"><span>Every</span><select class="in" @change=${event => set({ every: event.target.value })}>${options(kEvery, draft.every)}</select></label>
        ${draft.preset === 'yesno' || preset?.pair ? alertFields() : nothing}
      </div>
      ${draft.preset === 'kept' && !fresh ? html`<div class="row"><button class="btn" type="button" @click=${() => keep(draft.name)}>Keep the picture of now</button><span class="small t3">It is what later ones are compared with.</span></div>` : nothing}
      ${draft.preset === 'kept' && fresh ? html`<p class="small t3">Once it is saved, keep a picture to compare with.</p>` : nothing}
      ${plan ? forecast({ used: Math.max(0, plan.used - plan.share), share: plan.share, fits: plan.fits, text: plan.fits ? '' : plan.plan }) : nothing}
      ${watching ? html`<p class="small t2" role="status">${watching}</p>` : asking.view({ threshold: Number(draft.above) || 0.5, frames: false })}
      ${trial?.fault ? note('bad', 'warn', trial.fault) : nothing}
      ${trial?.hour ? note('', 'right', html`Over the last hour it would have alerted <strong>${trial.hour.alerts === 1 ? 'once' : `${trial.hour.alerts} times`}</strong>, by ${count(trial.hour.of, 'answer')}.`) : nothing}
      ${editing.view()}
      <div class="row">${context.may('ask') && draft.preset !== 'other' ? html`<button type="button" class="btn" aria-disabled=${String(!!lacks() || asking.busy || !!watching)} @click=${tryIt}>${asking.answer || asking.error ? 'Try again' : 'Try'}</button>` : nothing}
        <button type="button" class="btn bare" @click=${close}>Cancel</button><button class="btn first end" aria-disabled=${String(!!lacks() || editing.busy)}>${editing.busy ? 'Saving' : 'Save'}</button></div>
      ${fresh || (editing.settings.tasks ?? []).length < 2 ? nothing : html`<button type="button" class="btn bare" ?disabled=${editing.busy} @click=${() => remove(index)}>Ask this no longer</button>`}
    </form>`;
  }
  async function keep(task) {
    try { await api.send('POST', `streams/${encodeURIComponent(name)}/references/${encodeURIComponent(task)}`); context.say('The picture is kept.'); } catch (error) { trial = { fault: error.message }; redraw(); }
  }
  return {
    stop() { clearTimeout(planTimer); asking.stop(); },
    view() {
      if (!editing.settings) return html`<p class="t3">${editing.fault ? editing.fault.message : 'Reading what it is asked'}</p>`;
      return html`<div>${(editing.settings.tasks ?? []).map(row)}</div>
        ${draft ? form() : html`${editing.troubled ? editing.view() : nothing}<button class="btn" @click=${() => open(freshDraft('yesno'), -1)}>${icon('plus')}Ask something else</button>`}`;
    },
  };
}
export { presetOf };
