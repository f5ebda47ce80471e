import { html } from '../lit.js';

// A picture of icons.svg, which says nothing to a screen reader: a word stands beside it.
export const icon = name => html`<svg class="i" aria-hidden="true"><use href=${`ui/icons.svg#${name}`}></use></svg>`;
