/** Whether jobs start: the state of the queue, or of the part of it for one machine, and what changes it. */

import { actionButton, outcome } from './actions.js';
import { post } from './api.js';
import { attribute, h, show, text } from './dom.js';
import { stateChip } from './parts.js';
import { lookUp, QUEUE } from './states.js';

/** The mode of the whole queue or of one machine's part; null if the station does not tell. */
export function modeOf({ state, parts }, device = null) {
  if (!state) return null;
  if (device === null) return state;
  return parts.find((part) => part.device?.toLowerCase() === device.toLowerCase())?.mode ?? 'running';
}

/** `{element, update(state)}` for the queue, or for what is `device`'s. */
export function queueModePart(app, device = null) {
  const place = outcome();
  const chip = stateChip();
  const words = h('span', { class: 'note' });
  const of = device === null ? 'the queue' : `the queue of ${device}`;
  const act = (verb) => async () => {
    const told = await post(`/queue/${verb}`, device === null ? {} : { device });
    app.reading.takeQueue(told);
  };
  const buttons = {
    pause: actionButton({ label: 'Pause queue', name: 'queue-pause', place, act: act('pause') }),
    drain: actionButton({ label: 'Drain', name: 'queue-drain', place, act: act('drain'), title: 'Run what waits and refuse new jobs', ask: { question: () => `Drain ${of}? New jobs are refused until it is opened again.`, yes: 'Drain', no: 'Keep open' } }),
    resume: actionButton({ label: 'Open queue', name: 'queue-resume', look: 'leading', place, act: act('resume') }),
  };
  for (const { button } of Object.values(buttons)) button.setAttribute('aria-label', button.textContent.replace(/ queue$/, '') + ` ${of}`);
  const title = device === null ? 'Queue' : 'Its queue';
  const element = h('div', { class: 'queue-mode', role: 'group', 'aria-label': `State of ${of}`, data: { queueOf: device ?? '' } }, h('span', { class: 'note' }, title), chip.element, words, h('span', { class: 'actions' }, Object.values(buttons).map((button) => button.element)), place.element);
  return {
    element,
    update({ queue }) {
      const mode = modeOf(queue, device);
      show(element, mode !== null);
      if (mode === null) return;
      const row = lookUp(QUEUE, mode);
      chip.update(row, mode);
      attribute(element, 'data-mode', mode);
      const part = queue.parts.find((it) => (it.device ?? null) === device);
      text(words, mode === 'running' ? '' : [row.why, part?.actor && `By ${part.actor}.`].filter(Boolean).join(' '));
      show(words, mode !== 'running');
      for (const [action, button] of Object.entries(buttons)) button.show(row.actions.includes(action));
    },
  };
}
