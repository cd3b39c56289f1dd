/** What a machine works on: picture, progress, what a person is asked, and the controls. */

import { callPart } from './call.js';
import { attribute, h, show, text } from './dom.js';
import { clock, count, percent, UNKNOWN } from './format.js';
import { jobActions } from './jobactions.js';
import { durationOf, remaining } from './jobtimes.js';
import { positionPart } from './machinefigures.js';
import { bar, figure, stateChip } from './parts.js';
import { preview } from './preview.js';
import { sentenceOf } from './reportwords.js';
import { isActive, JOB, lookUp } from './states.js';

/** Picture, progress and controls of the job on a machine. */
export function workPart(app) {
  const title = h('a', { class: 'job-name' });
  const chip = stateChip();
  const done = h('span', { class: 'large figures' });
  const left = h('span', { class: 'large figures' });
  const leftNote = h('span', { class: 'note' }, ' left');
  const progress = bar('Progress');
  const lines = figure('Lines');
  const elapsed = figure('Running for');
  const said = h('p', { class: 'program-says' });
  const axes = positionPart();
  const call = callPart();
  const readout = h('div', { class: 'readout' });
  const foot = h('div', { class: 'foot' });
  const element = h('div', { class: 'work' }, readout);
  let shown = null;

  function attach(job) {
    shown?.picture.dispose();
    shown?.picture.element.remove();
    shown?.actions.element.remove();
    shown = { id: job.id, picture: preview(), actions: jobActions(app, job, { only: ['pause', 'resume', 'skip', 'cancel', 'retry'] }) };
    readout.replaceChildren(
      h('p', { class: 'job-line' }, title, chip.element),
      h('p', { class: 'progress-line' }, done, h('span', {}, left, leftNote)),
      progress.element,
      said,
      axes.element,
      h('dl', { class: 'pair' }, lines.element, elapsed.element),
      call.element,
      shown.actions.refusal,
      foot,
    );
    foot.prepend(shown.actions.element);
    element.prepend(shown.picture.element);
  }

  return {
    element,
    foot,
    dispose: () => shown?.picture.dispose(),
    update(job, device) {
      show(element, Boolean(job));
      if (!job) return;
      if (shown?.id !== job.id) attach(job);
      const row = lookUp(JOB, job.state);
      text(title, job.name);
      attribute(title, 'href', `#/jobs/${job.id}`);
      chip.update(row, job.state);
      show(chip.element, job.state !== 'RUNNING'); // The machine's own "busy" says that already.
      text(done, percent(job.progress_percentage, 1));
      const eta = remaining(job);
      text(left, eta === null ? '' : clock(eta));
      text(leftNote, eta === null ? 'time left unknown' : ' left');
      progress.update(job.progress_percentage, row.meaning);
      lines.update(`${count(job.lines_acknowledged)} of ${count(job.lines_total)}`);
      const time = durationOf(job);
      elapsed.call(time?.label ?? 'Worked so far');
      elapsed.update(time?.words ?? UNKNOWN);
      text(said, job.message ? sentenceOf(job.message) : '');
      show(said, Boolean(job.message) && isActive(job));
      axes.update(device);
      shown.picture.update(job, device);
      const asks = call.update(app.store.state, job);
      // What answers a call stands in it.
      const { element: buttons } = shown.actions;
      if (asks && buttons.parentElement !== call.element) call.element.append(buttons);
      if (!asks && buttons.parentElement !== foot) foot.prepend(buttons);
      attribute(element, 'data-asks', asks ? 'true' : null);
      shown.actions.update(job);
    },
  };
}
