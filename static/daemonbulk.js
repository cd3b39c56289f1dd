/** Start, stop and restart of all daemons that are shown, with the question in its place. */

import { actionButton, outcome } from './actions.js';
import { post } from './api.js';
import { listed, outcomeOf } from './daemonwords.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { plural } from './format.js';
import { DAEMON, lookUp } from './states.js';

/** Many take their time, one after the other above all. */
const PATIENCE = { timeout: 3600000 };

/** Each move with the states that it is for, by the moves that one daemon allows. */
const MOVES = {
  start: { label: 'Start', of: '', body: {}, least: 1, for: 'start', yes: null },
  restart: { label: 'Restart', of: '', body: {}, least: 1, for: 'restart', yes: 'Restart' },
  rolling: { label: 'Rolling restart', of: ' of', body: { rolling: true }, least: 2, for: 'restart', yes: 'Restart one by one', after: ' One at a time: each must be well before the next, or it stops there.' },
  stop: { label: 'Stop', of: '', body: {}, least: 1, for: 'stop', yes: 'Stop' },
};

/** The daemons among those shown that a move is for. */
export const movable = (daemons, move) => daemons.filter((daemon) => lookUp(DAEMON, daemon.state).actions.includes(MOVES[move].for));

/** `update(daemons, filtered)` takes those that are shown. */
export function bulkPart({ reading }) {
  const place = outcome();
  const words = h('p', { class: 'bulk-words' });
  const list = h('ul', { class: 'bulk-refused' });
  const render = keyed(list);
  const close = h('button', { type: 'button', class: 'quiet small', on: { click: () => show(result, false) } }, 'Dismiss');
  const result = h('div', { class: 'bulk-result', role: 'status' }, words, close, list);
  show(result, false);
  let shown = [];

  function report(items, ended = '') {
    for (const { daemon } of items) reading.take('daemon', daemon);
    const { words: said, refused } = outcomeOf(items);
    text(words, [said, ended].filter(Boolean).join(' '));
    render(refused, (item) => item.name, refusedLine);
    attribute(result, 'data-meaning', refused.length > 0 ? 'bad' : 'good');
    show(result, true);
  }

  async function act(move, names) {
    show(result, false);
    try {
      const answer = await post(`/daemons/${MOVES[move].for}`, { names, ...MOVES[move].body }, PATIENCE);
      report(answer?.items ?? []);
    } catch (error) {
      // A rolling restart that ended early says beside its refusal what became of each.
      if (!error.problem?.items) throw error;
      report(error.problem.items, `${error.message}.`);
    } finally {
      reading.daemons();
    }
  }

  const buttons = Object.entries(MOVES).map(([move, { label, of, least, yes, after = '' }]) => {
    let names = [];
    const question = () => `${label}${of} ${listed(names)}?${after}`;
    const { element, button, show: reveal } = actionButton({ label, name: `${move}-shown`, place, act: () => act(move, names), ask: yes ? { question, yes, no: 'Keep' } : undefined });
    const update = (filtered) => {
      // What was asked about is what is done, whatever changes while the question stands.
      if (element.querySelector('.question') || button.disabled) return;
      names = movable(shown, move).map((daemon) => daemon.name);
      const all = names.length > 1 && !filtered ? 'all ' : names.length > 1 ? 'these ' : '';
      text(button, `${label}${of} ${all}${names.length}${yes ? '…' : ''}`);
      reveal(names.length >= least);
    };
    return { element, update };
  });
  const note = h('span', { class: 'note figures' });
  const element = h('div', { class: 'bulk', role: 'group', 'aria-label': 'All daemons that are shown' }, note, h('div', { class: 'actions' }, buttons.map((button) => button.element)));
  return {
    elements: [element, place.element, result],
    update(daemons, filtered, all) {
      shown = daemons;
      text(note, filtered ? `${daemons.length} of ${plural(all, 'daemon')} shown` : `All ${plural(all, 'daemon')}`);
      for (const { update } of buttons) update(filtered);
      show(element, all > 0);
    },
  };
}

function refusedLine({ name }) {
  const words = h('span');
  return { element: h('li', {}, h('strong', {}, name), ' ', words), update: ({ error }) => text(words, error) };
}
