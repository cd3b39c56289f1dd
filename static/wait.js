/** What a waiting job waits for, with a way to what is in its way. */

import { attribute, h, show, text } from './dom.js';
import { shape } from './parts.js';

/** `update(wait)` with what `waitOf` says; `whole` makes a sentence of it, where there is room. */
export function waitPart({ whole = false } = {}) {
  const mark = shape('attention');
  const words = h('span');
  const link = h('a', { class: 'wait-job' });
  const after = h('span');
  const element = h('p', { class: 'wait' }, mark.element, h('span', {}, words, ' ', link, after));
  show(element, false);
  return {
    element,
    update(wait) {
      show(element, wait !== null);
      if (wait === null) return;
      attribute(element, 'data-meaning', wait.person ? 'attention' : 'neutral');
      show(mark.element, wait.person);
      text(words, whole ? `It waits: ${wait.words}` : wait.words);
      text(after, whole ? `${wait.after}.` : '');
      text(link, wait.job ?? '');
      attribute(link, 'href', wait.href);
      show(link, wait.job !== null);
    },
  };
}
