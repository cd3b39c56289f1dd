/** What a daemon needs, each with how far it must be and whether it is. */

import { attribute, h, keyed, show, text } from './dom.js';
import { daemonAddress } from './daemonchoice.js';
import { needWords } from './daemonwords.js';
import { shape } from './parts.js';

/** `update(needs)`; a name that is clicked is handed to `reveal`. */
export function needList(reveal) {
  const element = h('ul', { class: 'needs' });
  const render = keyed(element);
  return {
    element,
    update(needs) {
      show(element, needs.length > 0);
      render(needs, (need) => need.name, (need) => needLine(need.name, reveal));
    },
  };
}

function needLine(name, reveal) {
  const mark = shape('neutral');
  const words = h('span', { class: 'need-words' });
  const go = (event) => {
    event.preventDefault();
    reveal(name);
  };
  const element = h('li', { data: { need: name } }, mark.element, h('span', { class: 'note' }, 'needs'), h('a', { href: daemonAddress(name), on: { click: go } }, name), words);
  return {
    element,
    update(need) {
      const meaning = { true: 'good', false: need.required === false ? 'neutral' : 'attention' }[need.met] ?? 'neutral';
      attribute(element, 'data-meaning', meaning);
      attribute(element, 'data-met', need.met === undefined ? null : String(need.met));
      mark.update(meaning);
      text(words, needWords(need));
    },
  };
}
