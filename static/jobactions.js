/** What a person can do with a job, as buttons that fit its state. */

import { jobPath, post, remove } from './api.js';
import { actionButton, outcome } from './actions.js';
import { atStop, canSkip, goOnLabel, layerAt } from './calls.js';
import { attribute, h, text } from './dom.js';
import { isRed, machineFor, redWords } from './reportwords.js';
import { resumePanel } from './resume.js';
import { JOB, lookUp } from './states.js';

/** In the order they are shown: what goes on first, what ends it last. */
const LABELS = { resume: 'Resume', release: 'Release', skip: 'Skip layer', retry: 'Retry', pause: 'Pause', cancel: 'Cancel', delete: 'Delete' };

/**
 * `{element, refusal, update(job)}`; `only` narrows the actions for a tight place, `wide` says that
 * there is room for the way back into an interrupted job; elsewhere that is looked at on its own page.
 */
export function jobActions(app, first, { only = Object.keys(LABELS), wide = false } = {}) {
  const { store, reading } = app;
  let job = first;
  const place = outcome();
  const name = () => job.name;
  const interrupted = () => job.state === 'INTERRUPTED';
  const red = () => job.state === 'HELD' && isRed(job);
  const way = wide ? resumePanel(app, first) : null;
  const ask = {
    release: { when: red, question: () => redWords(job, machineFor(store.state, job)?.envelope), yes: 'Run it all the same', no: 'Keep' },
    skip: { question: () => `Skip ${layerAt(job)?.name ?? 'this layer'} of ${name()}? Nothing of it is drawn.`, yes: 'Skip layer', no: 'Keep' },
    retry: { when: interrupted, question: () => `Run ${name()} again from its first line?`, yes: 'Retry', no: 'Not yet' },
    cancel: { question: () => `Cancel ${name()}?`, yes: 'Cancel job', no: 'Keep' },
    delete: { question: () => `Delete ${name()} for ever?`, yes: 'Delete job', no: 'Keep' },
  };
  const plain = (action) => async () => reading.take('job', await post(jobPath(job.id, action)));
  const act = {
    release: async () => reading.take('job', await post(jobPath(job.id, 'release'), red() ? { force: true } : undefined)),
    async resume() {
      if (!interrupted()) await plain('resume')();
      else if (way) await way.open();
      else location.hash = `#/jobs/${encodeURIComponent(job.id)}?resume`;
    },
    delete: async () => {
      await remove(jobPath(job.id));
      store.change((state) => state.jobs.delete(job.id));
    },
  };
  const buttons = Object.keys(LABELS).filter((action) => only.includes(action)).map((action) => ({
    action,
    ...actionButton({ label: LABELS[action], name: action, ask: ask[action], place, act: act[action] ?? plain(action) }),
  }));
  const element = h('div', { class: 'actions' }, buttons.map((button) => button.element));

  /** What a button says now. */
  function labelOf(action) {
    if (action === 'pause' && job.state === 'QUEUED') return 'Hold';
    if (action === 'resume' && interrupted()) return 'How to go on…';
    if (action === 'resume' && atStop(job)) return goOnLabel(job);
    if (action === 'release' && red()) return 'Release…';
    return LABELS[action];
  }

  return {
    element,
    refusal: h('div', { class: 'refusals' }, place.element, way?.element ?? ''),
    /** Opens the way back into an interrupted job, as a link to it does. */
    lookAtResume: () => way?.open(),
    update(now) {
      job = now;
      const { actions } = lookUp(JOB, job.state);
      for (const { action, show, button } of buttons) {
        show(actions.includes(action) && isPossible(action, job));
        text(button, labelOf(action));
        button.classList.toggle('leading', action === 'resume' || (action === 'release' && !red()));
        attribute(button, 'aria-label', `${button.textContent} ${job.name}`);
      }
      way?.update(job);
    },
  };
}

/** A program whose process is gone cannot go on; only where a layer begins is there one to skip. */
function isPossible(action, job) {
  if (action === 'skip') return canSkip(job);
  return action !== 'resume' || job.kind !== 'command' || job.state !== 'INTERRUPTED';
}
