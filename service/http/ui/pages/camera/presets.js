// The kinds of questions that are offered, between a form's fields and the settings of a task and its rule.
import { seconds } from '../../words.js';

export const kPresets = {
  caption: { label: 'Caption', frames: ['1', '16'], draft: { frames: '16', every: '4s' } },
  yesno: { label: 'Yes or no alert', frames: ['1', '16'], asks: 'Question', draft: { question: 'is there a person?', frames: '1', every: '4s', above: '0.80', row: '2' } },
  count: { label: 'Count', frames: ['1', '16'], asks: 'Question', draft: { question: 'how many people are there?', frames: '1', every: '10s' } },
  before: { label: 'Compare with before', asks: 'Statement', pair: true, draft: { question: 'the images show the same', every: '10s', above: '0.90', row: '1' } },
  kept: { label: 'Compare with a kept picture', asks: 'Statement', pair: true, draft: { question: 'the images show the same', every: '30s', above: '0.90', row: '1' } },
};
export const kEvery = ['1s', '2s', '4s', '5s', '10s', '20s', '30s', '60s', '5m'];

const defaultEvery = { 1: '5s', 2: '10s', 16: '4s' };
const textOf = task => task.question ?? task.statement ?? task.objects ?? task.prompt ?? '';
export const nameOf = task => task.name ?? task.task;

export function presetOf(task) {
  if (task.task === 'caption') return 'caption';
  if (task.task === 'pair') return task.against?.reference ? 'kept' : task.against ? 'other' : 'before';
  if (task.task !== 'question') return 'other';
  return String(task.type ?? '').startsWith('count') ? 'count' : task.type === undefined || task.type === 'yes_no' ? 'yesno' : 'other';
}
// A row in a row: "2 of 2". Other windows are left as they are.
const rowOf = rule => /^(\d+) of \1$/.exec(rule?.of ?? '1 of 1')?.[1] ?? 'as it is';

export function draftOf(settings, task) {
  const rule = (settings.rules ?? []).find(one => one.task === nameOf(task));
  const frames = String(task.frames ?? (task.task === 'pair' ? 2 : 16));
  return { name: nameOf(task), preset: presetOf(task), question: textOf(task), frames, every: String(task.every ?? task.span ?? defaultEvery[frames] ?? '4s'),
    alert: !!rule, above: rule?.above !== undefined ? Number(rule.above).toFixed(2) : '0.80', row: rowOf(rule) };
}
export const freshDraft = preset => ({ name: '', preset, question: '', frames: '1', every: '4s', alert: preset === 'yesno', above: '0.80', row: '1', ...kPresets[preset].draft });

function freeName(settings, words) {
  const taken = new Set((settings.tasks ?? []).map(nameOf));
  const stem = words.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 32) || 'question';
  for (let i = 1; ; i += 1) { const name = i === 1 ? stem : `${stem}_${i}`; if (!taken.has(name) && name !== 'state' && name !== 'rule') return name; }
}

// A task that has the form's values; keys that the form does not know stay where the kind is the same.
export function taskOf(draft, old, settings) {
  const kept = old && presetOf(old) === draft.preset ? { ...old } : {};
  for (const key of ['question', 'statement', 'frames', 'span', 'type']) if (draft.preset !== 'other') delete kept[key];
  const every = { every: draft.every };
  const words = draft.question.trim();
  const name = draft.name || (draft.preset === 'caption' ? freeName(settings, 'caption') : freeName(settings, words));
  if (draft.preset === 'other') return { ...kept, ...every };
  if (draft.preset === 'caption') return { ...kept, task: 'caption', ...(name === 'caption' ? {} : { name }), frames: Number(draft.frames), ...spanOf(draft, old), ...every };
  if (draft.preset === 'before') return { ...kept, task: 'pair', name, statement: words, span: old?.span ?? '10s', ...every };
  if (draft.preset === 'kept') return { ...kept, task: 'pair', name, statement: words, against: old?.against ?? { reference: name }, ...every };
  return { ...kept, task: 'question', name, question: words, type: draft.preset === 'count' ? old?.type ?? 'count:20' : 'yes_no', frames: Number(draft.frames), ...spanOf(draft, old), ...every };
}
const spanOf = (draft, old) => (draft.frames === '1' ? {} : { span: old?.span && seconds(String(old.span)) ? old.span : '4s' });

// Puts the form's task, and its rule, into settings.
export function apply(settings, draft, index) {
  const old = index >= 0 ? settings.tasks[index] : null, task = taskOf(draft, old, settings), name = nameOf(task);
  if (old) settings.tasks[index] = task; else (settings.tasks ??= []).push(task);
  const rules = settings.rules ?? [], at = rules.findIndex(rule => rule.task === (old ? nameOf(old) : name));
  const wants = draft.alert && (draft.preset === 'yesno' || kPresets[draft.preset]?.pair);
  if (wants) {
    const rule = { name, ...(at >= 0 ? rules[at] : {}), task: name, above: Number(draft.above) };
    if (draft.row !== 'as it is') rule.of = `${draft.row} of ${draft.row}`;
    if (rule.below !== undefined && rule.below > rule.above) delete rule.below;
    if (at >= 0) rules[at] = rule; else rules.push(rule);
  } else if (at >= 0 && draft.preset !== 'other') {
    rules.splice(at, 1);
  }
  if (rules.length) settings.rules = rules; else delete settings.rules;
  return name;
}
export function removeTask(settings, index) {
  const name = nameOf(settings.tasks[index]);
  settings.tasks.splice(index, 1);
  if (settings.rules) { settings.rules = settings.rules.filter(rule => rule.task !== name); if (!settings.rules.length) delete settings.rules; }
}
// What the model will read.
export const promptOf = draft => (draft.preset === 'caption' ? 'caption en' : draft.question.trim() ? `answer en ${draft.question.trim()}` : '');
