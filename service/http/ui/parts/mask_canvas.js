// What the model segmented, as COCO's run-length code, painted into a canvas over the picture.
import { html } from '../lit.js';
import { Directive, directive } from '../vendor/lit-html/directive.js';
import { noChange } from '../lit.js';

const kMaxPixels = 4_000_000;

// pycocotools' compressed counts as lengths of runs, the first one outside.
export function runsOf(text) {
  const runs = [];
  for (let at = 0; at < text.length;) {
    let value = 0, shift = 0, code;
    do {
      code = text.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32 && at < text.length && shift < 30);
    if (code & 16) value |= -1 << shift;
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}
// Its pixels are half the accent over the picture.
function paint(canvas, masks) {
  const [height, width] = masks[0].size;
  if (!(height * width > 0 && height * width <= kMaxPixels)) return;
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (const mask of masks) {
    if (mask.size[0] !== height || mask.size[1] !== width) continue;
    let at = 0, inside = false;
    for (const run of runsOf(mask.counts)) {
      if (run < 0) return;
      if (inside) for (let i = at; i < Math.min(at + run, height * width); i += 1) image.data.set([146, 178, 255, 110], ((i % height) * width + Math.floor(i / height)) * 4);
      at += run;
      inside = !inside;
    }
  }
  canvas.getContext('2d').putImageData(image, 0, 0);
}
const painted = directive(class extends Directive {
  update({ element }, [masks]) {
    const key = masks.map(mask => mask.counts).join('|');
    if (this.key !== key) { this.key = key; paint(element, masks); }
    return noChange;
  }
  render() { return noChange; }
});
export const maskCanvas = masks => html`<canvas class="over" aria-hidden="true" ${painted(masks)}></canvas>`;
