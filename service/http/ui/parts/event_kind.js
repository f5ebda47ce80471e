// What rows and pages say of an event, whichever of the three kinds it is.
import { answerOf, count } from '../words.js';

const STATES = { connecting: 'connects', online: 'is back', stalled: 'stalled', reconnecting: 'reconnects', auth_failed: 'refuses the password',
  unreadable: 'cannot be read', ended: 'ended', removed: 'was removed', crashed: 'crashed' };
const CHANGES = { raised: 'alert', confirmed: 'alert confirmed', updated: 'alert lasts', cleared: 'alert cleared' };

export const kindOf = event => event.type.split('.')[1];

// {kind, said, question, p, name, threshold, tag, task, pictures, lost, evidence}
export function described(event, store = null) {
  const kind = kindOf(event), { data } = event;
  if (kind === 'state') return { kind, said: `${event.subject} ${STATES[data.state] ?? data.state}`, why: data.reason ?? '', pictures: 0 };
  if (kind === 'alert') return { kind, said: data.text, question: '', p: data.p, name: 'P of its conditions', task: data.rule, tag: CHANGES[data.change] ?? data.change,
    severity: data.severity, pictures: 0, evidence: data.evidence.at(-1) };
  const answer = answerOf(event);
  const decides = answer.name === 'P(yes)' || answer.name === 'P(true)';
  return { kind, ...answer, threshold: decides ? store?.threshold(event.subject, data.name ?? data.task) ?? 0.5 : undefined, task: data.name ?? data.task, pictures: data.frames?.length ?? 0, lost: data.dropped_before ?? 0 };
}

// Whose pictures stand for it: its own, or the newest that an alert rests on.
export const picturesOf = event => (kindOf(event) === 'alert' ? event.data.evidence.at(-1) : event.id);

// "2 windows lost before", or ''.
export const lostWords = lost => (lost ? `${count(lost, 'window')} lost before` : '');

const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });

// The heading that an event of this time stands under.
export function groupOf(time, now) {
  const at = Date.parse(time), today = new Date(now).setHours(0, 0, 0, 0);
  if (now - at < 15 * 60e3) return 'Last 15 minutes';
  if (at >= today) return 'Earlier today';
  return at >= new Date(today - 12 * 3600e3).setHours(0, 0, 0, 0) ? 'Yesterday' : DAY.format(at);
}
