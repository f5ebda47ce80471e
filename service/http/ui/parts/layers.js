// What lies over a picture: boxes, outlines of what the model segmented, privacy masks, regions. All in 0 to 1 of it.
import { html, svg, nothing } from '../lit.js';
import { at } from './at.js';

// A mask or region as points: a box [left, top, right, bottom] or a polygon [[x, y], …].
export const pointsOf = area => (Array.isArray(area[0]) ? area : [[area[0], area[1]], [area[2], area[1]], [area[2], area[3]], [area[0], area[3]]]);
const text = points => points.map(([x, y]) => `${x * 100},${y * 100}`).join(' ');

function box([left, top, right, bottom]) {
  const rect = () => svg`<rect x=${left * 100} y=${top * 100} width=${(right - left) * 100} height=${(bottom - top) * 100}></rect>`;
  return svg`<g class="ov-box">${rect()}${rect()}</g>`;
}

// `boxes`: [{label, box, p}], `outlines`: [[[x, y], …]], `masks`, `regions`: areas; `shown`: names of the layers to show, a Set.
export function layers({ boxes = [], outlines = [], masks = [], regions = [], shown = new Set(['boxes', 'outlines', 'masks']) }) {
  const on = name => shown.has(name);
  return html`<svg class="over" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      ${on('masks') ? masks.map(area => svg`<polygon class="ov-mask" vector-effect="non-scaling-stroke" points=${text(pointsOf(area))}></polygon>`) : nothing}
      ${on('regions') ? regions.map(area => svg`<polygon class="ov-region" vector-effect="non-scaling-stroke" points=${text(pointsOf(area))}></polygon>`) : nothing}
      ${on('outlines') ? outlines.map(points => svg`<polygon class="ov-shape" points=${text(points)}></polygon>`) : nothing}
      ${on('boxes') ? boxes.map(one => box(one.box)) : nothing}</svg>
    ${on('boxes') ? boxes.map(one => html`<span class="box-lab" ${at({ left: `${one.box[0] * 100}%`, top: `${one.box[1] * 100}%` })}>${one.label}</span>`) : nothing}`;
}
