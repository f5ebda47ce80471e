// Single keys, which can be switched off (WCAG 2.1.4). None acts while one types or a dialog is open.
const kPages = { w: 'wall', e: 'events', p: 'pairs', a: 'ask', s: 'system' };
const kKept = 'palisade-keys';

export const keysOn = () => localStorage.getItem(kKept) !== 'off';
export const switchKeys = on => localStorage.setItem(kKept, on ? 'on' : 'off');

const typed = 'input:not([type=range]):not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]';

// `act` has go(page), list(), search(), full(), and page(key): whether the page took the key.
export function listen(act) {
  let chord = 0;
  addEventListener('keydown', event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(typed) || document.querySelector('dialog[open]')) return;
    if (event.key === '?') { act.list(); return; }
    if (!keysOn()) return;
    if (chord && Date.now() - chord < 3000 && kPages[event.key]) { chord = 0; act.go(kPages[event.key]); return; }
    chord = 0;
    if (event.key === 'g') { chord = Date.now(); return; }
    if (event.key === '/') { event.preventDefault(); act.search(); return; }
    if (event.key === 'f') { act.full(); return; }
    const press = event.key === ' ' || event.key === 'Enter';
    if (press && event.target.closest?.('button, a, summary, input, label')) return;
    if (act.page(event.key)) event.preventDefault();
  });
}
export const keyList = [['g w', 'Wall'], ['g e', 'Events'], ['g p', 'Pairs'], ['g a', 'Ask'], ['g s', 'System'], ['/', 'Search'], ['f', 'Full screen'], ['j k', 'Next, previous event'], ['Enter', 'Open it'],
  ['y', 'Right'], ['n', 'Wrong'], ['s', 'Keep'], ['m', 'More like this'], ['Space', 'Play, pause'], ['← →', 'Frame, slider, time, threshold'], ['?', 'This list'], ['Esc', 'Close']];
