/** A job that asks for a person: what is to be done, large. */

import { callOf } from './calls.js';
import { attribute, h, show, text } from './dom.js';
import { shape } from './parts.js';

const MEANINGS = { red: 'bad' };

/** `update(state, job)` returns whether anything is asked; the buttons are put in beside it. */
export function callPart() {
  const mark = shape('attention');
  const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  const headline = h('strong', { class: 'call-words' });
  const detail = h('span', { class: 'call-detail' });
  // Said once when it appears: a person who does not look at the page must hear it too.
  const element = h('section', { class: 'call', role: 'status', 'aria-label': 'This job needs you' }, mark.element, h('p', {}, headline, h('span', { class: 'call-next' }, swatch, detail)));
  show(element, false);
  return {
    element,
    update(state, job) {
      const call = callOf(state, job);
      show(element, call !== null);
      if (call === null) return false;
      const meaning = MEANINGS[call.kind] ?? 'attention';
      attribute(element, 'data-call', call.kind);
      attribute(element, 'data-meaning', meaning);
      mark.update(meaning);
      text(headline, call.headline);
      text(detail, call.detail === call.headline ? '' : call.detail);
      show(swatch, call.colour !== null);
      swatch.style.setProperty('--swatch', call.colour ?? 'transparent');
      return true;
    },
  };
}
