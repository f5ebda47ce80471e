import { html, nothing } from '../lit.js';
import { icon } from './icon.js';
import { stakesTo } from './stakes.js';

// A remark in its place: kind '', 'warn' or 'bad'.
export const note = (kind, name, content, id) => html`<div class=${`box-note ${kind}`} id=${id ?? nothing}>${icon(name)}<p>${content}</p></div>`;

// Where there is nothing yet: what will appear, when, and the one thing to do.
export const empty = (title, words, action = nothing) => html`<div class="panel empty">${stakesTo(0)}<h2>${title}</h2><p>${words}</p>${action === nothing ? nothing : html`<div class="row">${action}</div>`}</div>`;

// What is wrong with what was sent, one line a problem.
export const problems = error => html`${error.message}${error.problems?.length > 1 ? html`<ul>${error.problems.map(one => html`<li>${one.message}</li>`)}</ul>` : nothing}`;
