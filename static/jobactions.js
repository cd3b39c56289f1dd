/** What a person can do with a job, as buttons that fit its state. */

import { jobPath, post, remove } from './api.js';
import { actionButton, outcome } from './actions.js';
import { h } from './dom.js';
import { JOB, lookUp } from './states.js';

/** In the order they are shown: what goes on first, what ends it last. */
const LABELS = { resume: 'Resume', release: 'Release', retry: 'Retry', pause: 'Pause', cancel: 'Cancel', delete: 'Delete' };
const LEADING = new Set(['resume', 'release']);

/** `{element, refusal, update(job)}`; `only` narrows the actions for a tight place. */
export function jobActions({ store, reading }, first, { only = Object.keys(LABELS) } = {}) {
  let job = first;
  const place = outcome();
  const name = () => job.name;
  // What was interrupted may have left the machine anywhere: going on is for a person who has looked.
  const interrupted = () => job.state === 'INTERRUPTED';
  const ask = {
    resume: { when: interrupted, question: () => `Go on with ${name()} where it stopped? The machine moves at once.`, yes: 'Resume', no: 'Not yet' },
    retry: { when: interrupted, question: () => `Run ${name()} again from its first line?`, yes: 'Retry', no: 'Not yet' },
    cancel: { question: () => `Cancel ${name()}?`, yes: 'Cancel job', no: 'Keep' },
    delete: { question: () => `Delete ${name()} for ever?`, yes: 'Delete job', no: 'Keep' },
  };
  const act = {
    delete: async () => {
      await remove(jobPath(job.id));
      store.change((state) => state.jobs.delete(job.id));
    },
  };
  const buttons = Object.keys(LABELS).filter((action) => only.includes(action)).map((action) => ({
    action,
    ...actionButton({
      label: LABELS[action],
      name: action,
      look: LEADING.has(action) ? 'leading' : '',
      ask: ask[action],
      place,
      act: act[action] ?? (async () => reading.take('job', await post(jobPath(job.id, action)))),
    }),
  }));
  const element = h('div', { class: 'actions' }, buttons.map((button) => button.element));
  return {
    element,
    refusal: place.element,
    update(now) {
      job = now;
      const { actions } = lookUp(JOB, job.state);
      for (const { action, show, button } of buttons) {
        show(actions.includes(action) && isPossible(action, job));
        if (action === 'resume') button.classList.toggle('leading', !interrupted());
        if (action === 'pause') button.textContent = job.state === 'QUEUED' ? 'Hold' : 'Pause';
        button.setAttribute('aria-label', `${button.textContent} ${job.name}`);
      }
    },
  };
}

/** A program cannot be held still or continued in the middle. */
function isPossible(action, job) {
  if (job.kind !== 'command') return true;
  if (action === 'resume') return job.state === 'HELD';
  return action !== 'pause' || job.state === 'QUEUED';
}
