// Where events go: how many wait, went out and were lost since the service began.
import { html, nothing } from '../../lit.js';
import { clock, count, span, secondsSince, stamp } from '../../words.js';

const NAMES = { zeromq: ['Subscribers', 'sent'], journal: ['Journal', 'stored'] };
const number = n => Number(n).toLocaleString('en');

export function sinksPanel(status, wide) {
  const kind = wide ? 'panel w12 stack-s' : 'panel w5 stack-s', sinks = status?.sinks ?? [];
  if (!sinks.length) return html`<div class=${kind}><h2>Where events go</h2><p class="small t2">Asking the service.</p></div>`;
  const lost = sinks.reduce((sum, one) => sum + one.lost, 0), [{ since }] = sinks;
  const row = one => {
    const [name, went] = NAMES[one.name] ?? [one.name, 'sent'];
    return html`<tr><th scope="row">${name}${one.address ? html` <span class="t3 mono">${one.address}</span>` : nothing}</th><td class="n num">${one.waiting ? number(one.waiting) : 'none'}</td>
      <td class="n num">${number(one.sent)} <span class="t3">${went}</span></td><td class="n num">${one.lost ? html`<span class="tag bad">${number(one.lost)}</span>` : 'none'}</td></tr>`;
  };
  return html`<div class=${kind}><div class="panel-head"><h2>Where events go</h2><span class="end small t3 num" title=${stamp(since)}>since ${secondsSince(since) < 72_000 ? clock(since).slice(0, 5) : `${span(secondsSince(since))} ago`}</span></div>
    <p>${lost ? `${count(lost, 'event')} lost: more came than went out, and a queue was full.` : 'Nothing was lost.'}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Where events go"><table class="list"><thead><tr><th scope="col">To</th><th scope="col" class="n">Waiting</th><th scope="col" class="n">Went out</th><th scope="col" class="n">Lost</th></tr></thead><tbody>${sinks.map(row)}</tbody></table></div></div>`;
}
