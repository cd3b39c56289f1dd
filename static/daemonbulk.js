/** Start, stop and restart of all daemons that are shown, with the question in its place. */

import { actionButton, outcome } from './actions.js';
import { post } from './api.js';
import { listed, outcomeOf } from './daemonwords.js';
import { h, keyed, show, text } from './dom.js';
import { plural } from './format.js';
import { DAEMON, lookUp } from './states.js';

/** Many take their time, one after the other above all. */
const PATIENCE = { timeout: 3600000 };

/** Each move with the states that it is for, by the moves that one daemon allows. */
const MOVES = {
  start: { label: 'Start', body: {}, least: 1, for: 'start', ask: false },
  restart: { label: 'Restart', body: {}, least: 1, for: 'restart', ask: true },
  rolling: { label: 'Rolling restart of', body: { rolling: true }, least: 2, for: 'restart', ask: true, after: ' One at a time: each must be well before the next, or it stops there.' },
  stop: { label: 'Stop', body: {}, least: 1, for: 'stop', ask: true },
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

  function report(items, stopped) {
    for (const { daemon } of items) reading.take('daemon', daemon);
    const { words: said, refused } = outcomeOf(items);
    text(words, stopped ? `${said} Stopped at ${stopped}.` : said);
    render(refused, (item) => item.name, refusedLine);
    show(result, true);
  }

  async function act(move, names) {
    show(result, false);
    try {
      const { items = [], stopped_at: stopped } = (await post(`/daemons/${MOVES[move].for}`, { names, ...MOVES[move].body }, PATIENCE)) ?? {};
      report(items, stopped);
    } catch (error) {
      // A rolling restart that ended early says beside its refusal what became of each.
      if (error.problem?.items) report(error.problem.items, error.problem.stopped_at);
      throw error;
    } finally {
      reading.daemons();
    }
  }

  const buttons = Object.entries(MOVES).map(([move, { label, least, ask, after = '' }]) => {
    let names = [];
    const question = () => `${label} ${listed(names)}?${after}`;
    const { element, button, show: reveal } = actionButton({ label, name: `${move}-shown`, place, act: () => act(move, names), ask: ask ? { question, yes: label === 'Stop' ? 'Stop them' : 'Restart them', no: 'Keep' } : undefined });
    const update = (filtered) => {
      // What was asked about is what is done, whatever changes while the question stands.
      if (element.querySelector('.question') || button.disabled) return;
      names = movable(shown, move).map((daemon) => daemon.name);
      const all = names.length > 1 && !filtered ? 'all ' : names.length > 1 ? 'these ' : '';
      text(button, `${label} ${all}${names.length}${ask ? '…' : ''}`);
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
