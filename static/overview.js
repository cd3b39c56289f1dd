/** The first screen: machines, queue, daemons, the host and what happened, on one page. */

import { daemonPanel } from './daemons.js';
import { h } from './dom.js';
import { eventPanel } from './events.js';
import { historyPanel } from './history.js';
import { lastRunPart } from './lastrun.js';
import { machineList } from './machines.js';
import { queuePanel } from './queue.js';

export function overview(app) {
  const list = machineList(app);
  const machines = h('section', { id: 'machine-panel', 'aria-label': 'Machines' }, list.element);
  const parts = [list, queuePanel(app), daemonPanel(), historyPanel(), eventPanel(), lastRunPart()];
  const [, queue, daemons, history, events, lastRun] = parts;
  const element = h(
    'div',
    { class: 'view overview' },
    h('h1', { class: 'visually-hidden' }, 'Overview'),
    lastRun.element,
    h('div', { class: 'column' }, machines, daemons.element, history.element),
    h('div', { class: 'column' }, queue.element, events.element),
  );
  return {
    title: 'Overview',
    element,
    update: (state) => parts.forEach((part) => part.update(state)),
    dispose: () => parts.forEach((part) => part.dispose?.()),
  };
}
