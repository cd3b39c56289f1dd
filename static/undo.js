/** What was just done, with five seconds to undo it. */

import { h, show, text } from './dom.js';

const SECONDS = 5;

/** `offer(words, undo)` shows it; `undo()` is a promise. A later offer takes the place of an earlier one. */
export function undoBar() {
  const words = h('span');
  const button = h('button', { type: 'button', class: 'small', data: { action: 'undo' } }, 'Undo');
  const bar = h('span', { class: 'undo-time', 'aria-hidden': 'true' });
  const element = h('p', { class: 'undo', role: 'status' }, words, button, bar);
  let back = null;
  let timer = null;
  show(element, false);

  function end() {
    clearTimeout(timer);
    back = null;
    show(element, false);
  }
  button.addEventListener('click', async () => {
    const undo = back;
    end();
    await undo?.();
  });
  // Whoever has come to the button is about to press it: it stays while it has the focus.
  button.addEventListener('focus', () => clearTimeout(timer));
  button.addEventListener('blur', () => {
    timer = setTimeout(end, SECONDS * 1000);
  });

  return {
    element,
    dispose: () => clearTimeout(timer),
    offer(said, undo) {
      clearTimeout(timer);
      back = undo;
      text(words, said);
      show(element, false);
      show(element, true);
      timer = setTimeout(end, SECONDS * 1000);
    },
    end,
  };
}
