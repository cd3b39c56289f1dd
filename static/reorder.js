/**
 * Jobs that wait change places: dragged by the handle, or by the keyboard: Alt with an arrow on the
 * line, or the handle's own menu. Each move can be undone.
 */

import { jobPath, patch } from './api.js';
import { outcome } from './actions.js';
import { attribute, h, show, uniqueId } from './dom.js';
import { dragging } from './drag.js';
import { destination, moved, placeIn } from './order.js';
import { undoBar } from './undo.js';

const WAYS = [['first', 'Move first'], ['up', 'Move up'], ['down', 'Move down'], ['last', 'Move last']];

/** One for a queue: `{handle(job) → {element, menu, update}, status, refusal}`. `list` holds the lines. */
export function reordering({ store, reading }, list) {
  const place = outcome();
  const undo = undoBar();

  const waiting = () => store.state.queue.waiting;

  /** The order changes on the page at once; a station that refuses it has the last word. */
  async function arrange(id, ids) {
    const before = waiting();
    const focused = document.activeElement;
    store.change((state) => {
      state.queue.waiting = ids;
    });
    // What has the focus keeps it while its line moves.
    requestAnimationFrame(() => list.contains(focused) && focused.focus({ preventScroll: true }));
    place.say('');
    try {
      reading.take('job', await patch(jobPath(id), placeIn(ids, id)));
    } catch (error) {
      store.change((state) => {
        state.queue.waiting = before;
      });
      place.say(`Move: ${error.message}`);
      return false;
    }
    reading.queue();
    return true;
  }

  async function move(job, to) {
    if (!store.live) {
      place.say('There is no connection: nothing was moved.');
      return;
    }
    const ids = waiting();
    const from = ids.indexOf(job.id);
    if (from < 0 || to === null || from === to) return;
    undo.end();
    if (!(await arrange(job.id, moved(ids, job.id, to)))) return;
    undo.offer(`Moved ${job.name} to place ${to + 1} of ${ids.length}.`, () => arrange(job.id, moved(waiting(), job.id, from)));
  }

  const go = (job, way) => move(job, destination(waiting(), job.id, way));
  return { status: undo.element, refusal: place.element, dispose: undo.dispose, handle: (first, line) => handlePart(first, line, { list, go, move, waiting }) };
}

/** The handle of one line: pressed it opens the menu, dragged it moves the line. */
function handlePart(first, line, { list, go, move, waiting }) {
  let job = first;
  const id = uniqueId('move');
  const items = WAYS.map(([way, words]) => {
    const item = h('button', { type: 'button', role: 'menuitem', class: 'quiet small', data: { move: way }, on: { click: () => pick(way) } }, words);
    return { way, item };
  });
  const menu = h('div', { class: 'move-menu', id, role: 'menu', 'aria-label': `Move ${first.name}` }, items.map(({ item }) => item));
  const button = h('button', { type: 'button', class: 'handle quiet', 'aria-haspopup': 'menu', 'aria-expanded': 'false', 'aria-controls': id, 'aria-keyshortcuts': 'Alt+ArrowUp Alt+ArrowDown', data: { action: 'move' } }, h('span', { 'aria-hidden': 'true' }, '⋮⋮'));
  show(menu, false);

  function toggle(open) {
    show(menu, open);
    attribute(button, 'aria-expanded', String(open));
    for (const { way, item } of items) item.disabled = destination(waiting(), job.id, way) === null;
    if (open) items.find(({ item }) => !item.disabled)?.item.focus();
  }

  function pick(way) {
    toggle(false);
    button.focus();
    go(job, way);
  }

  button.addEventListener('click', () => !dragged() && toggle(menu.hidden));
  menu.addEventListener('keydown', (event) => {
    const open = items.filter(({ item }) => !item.disabled).map(({ item }) => item);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape') {
      toggle(false);
      button.focus();
    } else if (step && !event.altKey) {
      event.preventDefault();
      open[(open.indexOf(document.activeElement) + step + open.length) % open.length]?.focus();
    }
  });
  menu.addEventListener('focusout', (event) => !menu.contains(event.relatedTarget) && event.relatedTarget !== button && toggle(false));
  line.addEventListener('keydown', (event) => {
    const way = event.altKey && { ArrowUp: 'up', ArrowDown: 'down' }[event.key];
    if (!way || button.hidden) return;
    event.preventDefault();
    go(job, way);
  });
  const dragged = dragging(button, line, list, (to) => move(job, to));

  return {
    element: button,
    menu,
    update(now, movable) {
      job = now;
      show(button, movable);
      if (!movable && !menu.hidden) toggle(false);
      attribute(button, 'aria-label', `Move ${job.name}`);
      attribute(line, 'data-movable', movable ? 'true' : null);
    },
  };
}
