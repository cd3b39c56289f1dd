/** The small parts that every view is made of: a state, its cause, a panel, a bar, an empty place. */

import { attribute, h, show, svg, text, uniqueId } from './dom.js';

/** One shape for each meaning, drawn in a 12 × 12 box: colour never speaks alone. */
const SHAPES = {
  neutral: 'M6 1.75a4.25 4.25 0 1 0 0 8.5a4.25 4.25 0 1 0 0-8.5Z',
  active: 'M3 1.2v9.6L11 6Z',
  good: 'M1.6 6.4 4.7 9.5 10.4 2.9',
  attention: 'M6 .8 11.2 6 6 11.2.8 6Z',
  bad: 'M3.8.8h4.4l3 3v4.4l-3 3H3.8l-3-3V3.8Z',
};
const OUTLINED = new Set(['neutral', 'good']);

/** The drawing of a meaning; decoration beside the word that says the same. */
export function shape(meaning) {
  const path = svg('path', { d: SHAPES[meaning] });
  const element = svg('svg', { class: 'shape', viewBox: '0 0 12 12', 'aria-hidden': 'true' }, path);
  const update = (now) => {
    attribute(path, 'd', SHAPES[now] ?? SHAPES.neutral);
    attribute(element, 'class', OUTLINED.has(now) ? 'shape outlined' : 'shape');
  };
  update(meaning);
  return { element, update };
}

/** The same as an address for the tab's icon. */
export function shapeImage(meaning, colour) {
  const paint = OUTLINED.has(meaning) ? `fill="none" stroke="${colour}" stroke-width="2"` : `fill="${colour}"`;
  const image = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 12 12"><path d="${SHAPES[meaning]}" ${paint}/></svg>`;
  return `data:image/svg+xml,${encodeURIComponent(image)}`;
}

/** A state as shape and word in its colour. `state` is a row of `states.js`, `raw` the station's word. */
export function stateChip() {
  const word = h('span');
  const mark = shape('neutral');
  const element = h('span', { class: 'state' }, mark.element, word);
  return {
    element,
    update(state, raw = state.word) {
      attribute(element, 'data-meaning', state.meaning);
      attribute(element, 'data-state', raw);
      mark.update(state.meaning);
      text(word, state.word);
    },
  };
}

/** "why?": opens the cause of a state, in the words of whatever knows it. */
export function why() {
  const cause = h('p', { class: 'cause', id: uniqueId('why') });
  const button = h('button', { type: 'button', class: 'why', 'aria-expanded': 'false', 'aria-controls': cause.id }, 'why?');
  show(cause, false);
  button.addEventListener('click', () => {
    show(cause, cause.hidden);
    attribute(button, 'aria-expanded', String(!cause.hidden));
  });
  return { button, cause, update: (words) => text(cause, words) };
}

/** A titled region of a view. */
export function panel(title, props = {}, ...children) {
  const id = uniqueId('panel');
  const note = h('span', { class: 'note' });
  const tools = h('span', { class: 'tools' });
  const heading = h('h2', { id }, title);
  const body = h('div', { class: 'panel-body' }, ...children);
  const element = h('section', { ...props, class: `panel ${props.class ?? ''}`.trim(), 'aria-labelledby': id }, h('header', {}, heading, note, tools), body);
  return { element, body, tools, note: (words) => text(note, words) };
}

/** A bar that moves by transform, so that it costs no layout and moves no neighbour. */
export function bar(label) {
  const fill = h('span', { class: 'fill' });
  const element = h('div', { class: 'bar', role: 'progressbar', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100 }, fill);
  return {
    element,
    update(percentage, meaning = 'active') {
      const value = Math.min(100, Math.max(0, percentage || 0));
      fill.style.transform = `scaleX(${value / 100})`;
      attribute(element, 'aria-valuenow', Math.round(value));
      attribute(element, 'data-meaning', meaning);
    },
  };
}

/** What stands where nothing is yet: it says what to do. `code` parts are commands to type. */
export function empty(title, ...hint) {
  return h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), h('p', {}, ...hint));
}

/** One figure with its name below; the place of the figure never moves. */
export function figure(label, unit = '') {
  const value = h('dd', { class: 'figures' });
  const name = h('dt', {}, label);
  const element = h('div', { class: 'figure' }, name, value);
  const number = h('span');
  value.append(number);
  if (unit) value.append(h('span', { class: 'unit' }, ` ${unit}`));
  return { element, update: (words) => text(number, words), call: (words) => text(name, words) };
}

/**
 * A table that stays a table for a screen reader even where a narrow page lays it out as cards:
 * the roles are spelled out because CSS `display` takes the native ones away.
 */
export function table(caption, columns) {
  const head = h('tr', { role: 'row' }, columns.map((column) => h('th', { role: 'columnheader', scope: 'col', class: column.class }, column.title)));
  const body = h('tbody', { role: 'rowgroup' });
  const element = h('table', { role: 'table' }, h('caption', { class: 'visually-hidden' }, caption), h('thead', { role: 'rowgroup' }, head), body);
  return { element, body };
}

/** A row of cells, each with the title that a narrow page shows in front of it. */
export function row(columns, cells, props = {}) {
  return h('tr', { role: 'row', ...props }, columns.map((column, index) => h('td', { role: 'cell', class: column.class, data: { title: column.title } }, cells[index])));
}
