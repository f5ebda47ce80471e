// Times, numbers and answers in words. Ages are of the service's clock.
import { now } from './api.js';

const two = n => String(n).padStart(2, '0');
const dateOf = time => (time instanceof Date ? time : new Date(time));
export const p2 = p => (p === null || p === undefined || Number.isNaN(p) ? '' : Number(p).toFixed(2));
export const share = x => Number(x).toFixed(2);
export const count = (n, word) => `${Number(n).toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
export const clock = time => { const d = dateOf(time); return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`; };
export const stamp = time => dateOf(time).toLocaleString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, timeZoneName: 'short' });

// "2 min 10 s"
export function span(seconds) {
  const s = Math.max(0, seconds);
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 120) return `${Math.round(s)} s`;
  if (s < 600) return `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} days`;
}
export const secondsSince = (time, at = now()) => Math.max(0, (at - dateOf(time).getTime()) / 1000);
export function ago(time, at = now()) {
  const seconds = secondsSince(time, at);
  return seconds < 1 ? 'now' : `${span(Math.floor(seconds) < 10 ? Math.floor(seconds) : seconds).replace('.0 s', ' s')} ago`;
}
export function bytes(n) {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let at = 0, value = Number(n);
  while (value >= 1000 && at < 4) { value /= 1000; at += 1; }
  return `${at && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[at]}`;
}
// 500ms, 4s, 2m as seconds; null where it is none.
export function seconds(text) {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(text ?? ''));
  return found ? Number(found[1]) * { ms: 0.001, s: 1, m: 60, h: 3600, d: 86400 }[found[2]] : null;
}

// A prompt as people would say it: "is there a person?" of "answer en is there a person?".
export const questionOf = (task, prompt) => {
  if (task === 'caption' || task === 'video_caption' || task === 'cap' || task === 'describe') return '';
  return String(prompt ?? '').replace(/^(answer|detect|segment) (?:[a-z]{2} )?/, (_, word) => (word === 'answer' ? '' : `${word} `)).replace(/\n$/, '');
};
const taskNames = { caption: 'What happens?', video_caption: 'What happens?', cap: 'In a few words', describe: 'At length', ocr: 'What is written?' };
// What a task of a stream (a row of `tasks`) asks.
export const asks = task => (task.task === 'pair' || task.task === 'question' ? questionOf(task.task, task.prompt) : taskNames[task.task] ?? questionOf(task.task, task.prompt)) || task.name;

// Of an answer that is places in the picture, what is at them: "truck, 2 × person". Its text is in tokens of places.
function found(boxes) {
  const counts = new Map();
  for (const { label } of boxes) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, n]) => (n > 1 ? `${n} × ${label}` : label)).join(', ');
}
// What an answer's `data` (or a task's `last`) says: P of yes or true where it chose, else the geometric mean over its words.
export function answerOf(event) {
  const data = event?.data ?? event ?? {};
  const question = questionOf(data.task, data.prompt), choices = data.choices ?? [];
  let p = data.p ?? null, name = p === null ? '' : 'P';
  const wanted = choices.find(c => c.text === 'yes' || c.text === 'true') ?? choices.find(c => c.text === data.text) ?? choices[0];
  if (wanted) { p = wanted.calibrated ?? wanted.p; name = /^[\w ]{1,16}$/.test(wanted.text) ? `P(${wanted.text})` : 'P'; }
  else if (data.logprob !== undefined && data.token_ids?.length) { p = Math.exp(data.logprob / data.token_ids.length); name = 'mean P'; }
  return { said: data.boxes?.length ? found(data.boxes) : data.text ?? '', question, p, name, choices, text: data.text ?? '' };
}

const states = { connecting: 'connecting', online: 'live', stalled: 'stalled', reconnecting: 'reconnecting', auth_failed: 'password refused', unreadable: 'unreadable', ended: 'ended', removed: 'removed', crashed: 'crashed' };
export const stateWord = state => states[state] ?? state;
