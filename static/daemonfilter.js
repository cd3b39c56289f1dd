/** The filters and the order of the daemons' view, as buttons with the number that each would show. */

import { facet } from './daemonchoice.js';
import { attribute, h, keyed, show, text, uniqueId } from './dom.js';
import { shape } from './parts.js';
import { DAEMON, lookUp } from './states.js';

const ORDERS = { name: 'By name', need: 'By need' };

/** `changed()` is called when a person has chosen. */
export function filterPart(choice, changed) {
  const states = chips('State', 'state', choice, changed, (value) => ({ word: lookUp(DAEMON, value).word, meaning: lookUp(DAEMON, value).meaning }));
  const categories = chips('Category', 'category', choice, changed, (value) => ({ word: value, meaning: null }));
  const id = uniqueId('find-daemon');
  const find = h('input', { id, type: 'search', placeholder: 'name or word', autocomplete: 'off', spellcheck: 'false' });
  find.value = choice.find;
  find.addEventListener('input', () => {
    choice.find = find.value;
    changed();
  });
  const orders = Object.entries(ORDERS).map(([order, label]) => {
    const choose = () => {
      choice.order = order;
      changed();
    };
    return { order, button: h('button', { type: 'button', data: { order }, on: { click: choose } }, label) };
  });
  const clear = h('button', { type: 'button', class: 'quiet', data: { action: 'clear-filter' } }, 'Show all');
  clear.addEventListener('click', () => {
    choice.state.clear();
    choice.category.clear();
    choice.find = '';
    find.value = '';
    changed();
    find.focus();
  });
  const order = h('div', { class: 'segment', role: 'group', 'aria-label': 'Order' }, orders.map(({ button }) => button));
  const element = h('div', { class: 'filters' }, states.element, categories.element, h('div', { class: 'filter-row' }, h('p', { class: 'field' }, h('label', { for: id }, 'Find'), find), order, clear));
  return {
    element,
    find,
    update(daemons, filtered) {
      states.update(daemons);
      categories.update(daemons);
      for (const { order: is, button } of orders) attribute(button, 'aria-pressed', String(choice.order === is));
      show(clear, filtered);
    },
  };
}

/** Buttons of one filter; several chosen ones show the daemons of each. */
function chips(title, name, choice, changed, look) {
  const place = h('div', { class: 'chips' });
  const render = keyed(place);
  const element = h('div', { class: 'filter-row', role: 'group', 'aria-label': title }, h('span', { class: 'note filter-title', 'aria-hidden': 'true' }, title), place);
  const flip = (value) => {
    if (!choice[name].delete(value)) choice[name].add(value);
    changed();
  };
  const chip = ({ value }) => {
    const { word, meaning } = look(value);
    const number = h('span', { class: 'figures chip-number' });
    const button = h('button', { type: 'button', class: 'chip', data: { [name]: value, ...(meaning ? { meaning } : {}) }, on: { click: () => flip(value) } }, meaning ? shape(meaning).element : null, h('span', {}, word), number);
    return {
      element: button,
      update(item) {
        text(number, item.number);
        attribute(button, 'aria-pressed', String(choice[name].has(value)));
      },
    };
  };
  return {
    element,
    update: (daemons) => {
      const values = facet(daemons, choice, name);
      render(values, (item) => item.value, chip);
      show(element, values.length > 1 || choice[name].size > 0);
    },
  };
}
