// How often P was right: the sentence that stands beside it, from what people judged.
import { p2 } from '../words.js';

// Bins of GET calibration at `threshold` and above, summed.
export function judgedFrom(calibration, threshold) {
  const bins = (calibration?.bins ?? []).filter(bin => bin.from >= threshold - 1e-9);
  const sum = key => bins.reduce((total, bin) => total + bin[key], 0);
  return { judged: sum('judged'), confirmed: sum('confirmed') };
}

// "Of 40 judged at 0.90 and above, 37 were right."
export function certainWords(calibration, threshold = 0.9) {
  const { judged, confirmed } = judgedFrom(calibration, threshold);
  if (!judged) return `None judged at ${p2(threshold)} and above yet.`;
  return `Of ${judged} judged at ${p2(threshold)} and above, ${confirmed} ${confirmed === 1 ? 'was' : 'were'} right.`;
}
