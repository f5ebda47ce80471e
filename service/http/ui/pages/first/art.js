// Drawn for the tiles: a lens, and the simulated street.
import { html } from '../../lit.js';

export const lens = () => html`<svg class="lensart" viewBox="0 0 320 180" preserveAspectRatio="xMidYMid slice" aria-hidden="true"><rect width="320" height="180" class="la0"></rect><circle cx="160" cy="90" r="62" class="la1"></circle><circle cx="160" cy="90" r="44" class="la2"></circle><circle cx="160" cy="90" r="22" class="la3"></circle><circle cx="146" cy="76" r="7" class="la4"></circle></svg>`;
export const street = () => html`<svg class="lensart" viewBox="0 0 320 128" preserveAspectRatio="xMidYMid slice" aria-hidden="true"><rect width="320" height="128" class="st0"></rect><path class="st1" d="M0 20h52v50H0zM60 8h70v62H60zM138 26h58v44h-58zM206 12h48v58h-48zM262 24h58v46h-58z"></path>
  <path class="st2" d="M10 30h10v12H10zM30 30h10v12H30zM72 18h12v14H72zM94 18h12v14H94zM72 42h12v14H72zM150 36h10v12h-10zM172 36h10v12h-10zM216 22h10v14h-10zM236 22h8v14h-8zM274 34h10v12h-10zM296 34h10v12h-10z"></path>
  <rect y="70" width="320" height="58" class="st3"></rect><path class="st4" d="M8 98h34v3H8zM76 98h34v3H76zM144 98h34v3h-34zM212 98h34v3h-34zM280 98h34v3h-34z"></path>
  <path class="st5" d="M96 92V80l8-10h26l12 10h10v12z"></path><circle cx="108" cy="93" r="6" class="st6"></circle><circle cx="142" cy="93" r="6" class="st6"></circle><path class="st7" d="M226 74h10v24h-4v14h-3v-14h-3z"></path><circle cx="231" cy="68" r="5.5" class="st7"></circle></svg>`;
