/** The queue: what runs, what needs a person, what comes next; and the place to add to it. */

import { callOf } from './calls.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { clock, percent } from './format.js';
import { jobActions } from './jobactions.js';
import { remaining } from './jobtimes.js';
import { queueOrder } from './order.js';
import { bar, empty, panel, stateChip } from './parts.js';
import { queueModePart } from './queuemode.js';
import { countsOf, countWords, waitOf } from './queuewords.js';
import { reordering } from './reorder.js';
import { verdictChip } from './report.js';
import { isActive, isOver, JOB, lookUp } from './states.js';
import { uploads } from './upload.js';
import { waitPart } from './wait.js';

export function queuePanel(app) {
  const adding = uploads(app);
  const list = h('ol', { class: 'queue', id: 'queue' });
  const render = keyed(list);
  const places = reordering(app, list);
  const mode = queueModePart(app);
  const nothing = empty('The queue is empty.', 'Add a G-code file, or send one with ', h('code', {}, 'stationd submit FILE'), '.');
  const part = panel('Queue', { id: 'queue-panel' }, mode.element, nothing, list, places.status, places.refusal, adding.element);
  part.tools.append(adding.button, adding.input);
  return {
    element: part.element,
    dispose() {
      adding.dispose();
      places.dispose();
    },
    update(state) {
      const jobs = queueOrder([...state.jobs.values()], state.queue.waiting);
      part.note(countWords(countsOf(state)));
      show(nothing, state.loaded && jobs.length === 0);
      mode.update(state);
      render(jobs, (job) => job.id, (job) => queueLine(app, job, places));
      adding.update();
    },
  };
}

function queueLine(app, first, places) {
  const chip = stateChip();
  const verdict = verdictChip();
  const name = h('a', { class: 'job-name', href: `#/jobs/${first.id}` });
  const note = h('span', { class: 'note' });
  const wait = waitPart();
  const call = h('strong', { class: 'queue-call' });
  const right = h('span', { class: 'figures queue-figure' });
  const progress = bar(`Progress of ${first.name}`);
  const actions = jobActions(app, first, { only: ['release', 'resume', 'skip', 'retry', 'cancel'] });
  const element = h('li', { class: 'queue-line', data: { jobId: first.id } });
  const handle = places.handle(first, element);
  element.append(h('span', { class: 'queue-state' }, handle.element, chip.element), name, right, call, h('span', { class: 'note-line' }, verdict.element, note), wait.element, handle.menu, actions.element, progress.element, actions.refusal);
  return {
    element,
    update(job) {
      const { state } = app.store;
      const asks = callOf(state, job);
      chip.update(lookUp(JOB, job.state), job.state);
      attribute(element, 'data-state', job.state);
      attribute(element, 'data-asks', asks?.kind ?? null);
      attribute(element, 'data-meaning', asks ? (asks.kind === 'red' ? 'bad' : 'attention') : null);
      verdict.update(job);
      text(name, job.name);
      attribute(name, 'title', job.name);
      text(call, asks && asks.kind !== 'held' ? asks.headline : '');
      show(call, Boolean(asks) && asks.kind !== 'held');
      const waits = waitOf(state, job);
      // What needs nobody and leads nowhere is said in passing.
      const aside = waits !== null && !waits.person && waits.job === null;
      wait.update(aside ? null : waits);
      text(note, noteOf(job, aside ? waits.words : ''));
      text(right, figureOf(job));
      show(progress.element, isActive(job) && (job.kind !== 'command' || job.progress_percentage > 0));
      progress.update(job.progress_percentage, lookUp(JOB, job.state).meaning);
      actions.update(job);
      handle.update(job, job.state === 'QUEUED' && state.queue.state !== null && state.queue.waiting.includes(job.id));
      element.classList.toggle('asks', asks !== null);
      // The running job has its controls on its machine; a finished one on its own page.
      show(actions.element, !isOver(job) && !(isActive(job) && job.kind !== 'command'));
    },
  };
}

function noteOf(job, waits) {
  const where = job.kind === 'command' ? 'program' : job.device || job.driver || 'any machine';
  const urgent = job.priority > 0 ? `priority ${job.priority}` : '';
  const failed = job.state === 'FAILED' ? job.error || job.reason : '';
  const said = isActive(job) ? job.message : '';
  // The machine is named already.
  const own = `device ${where} `;
  return [where, urgent, failed, waits.startsWith(own) ? waits.slice(own.length) : waits, said].filter(Boolean).join(' · ');
}

function figureOf(job) {
  if (!isActive(job)) return '';
  const eta = remaining(job);
  if (job.kind === 'command') return job.progress_percentage > 0 ? percent(job.progress_percentage) : '';
  return eta === null ? percent(job.progress_percentage) : `${percent(job.progress_percentage)} · ${clock(eta)}`;
}
