/** The queue: what runs, what needs a person, what comes next; and the place to add to it. */

import { attribute, h, keyed, show, text } from './dom.js';
import { clock, percent } from './format.js';
import { jobActions } from './jobactions.js';
import { remaining } from './machines.js';
import { bar, empty, panel, stateChip } from './parts.js';
import { isActive, isOver, JOB, lookUp } from './states.js';
import { uploads } from './upload.js';

const RECENT = 3;
const RANK = ['RUNNING', 'PAUSED', 'INTERRUPTED', 'HELD', 'QUEUED'];

/** What the queue shows, in its order: at work, waiting for a person, next, and the last few done. */
export function queueOrder(jobs) {
  const rank = (job) => RANK.indexOf(job.state);
  const byTurn = (one, other) => rank(one) - rank(other) || (other.priority ?? 0) - (one.priority ?? 0) || (one.id < other.id ? -1 : 1);
  const open = jobs.filter((job) => !isOver(job)).sort(byTurn);
  const ended = (job) => Date.parse(job.finished_at ?? '') || 0;
  const over = jobs.filter(isOver).sort((one, other) => ended(other) - ended(one));
  return [...open, ...over.slice(0, RECENT)];
}

export function queuePanel(app) {
  const adding = uploads(app);
  const list = h('ol', { class: 'queue', id: 'queue' });
  const render = keyed(list);
  const nothing = empty('The queue is empty.', 'Add a G-code file, or send one with ', h('code', {}, 'stationd submit FILE'), '.');
  const part = panel('Queue', { id: 'queue-panel' }, nothing, list, adding.element);
  part.tools.append(adding.button, adding.input);
  return {
    element: part.element,
    dispose: adding.dispose,
    update(state) {
      const jobs = queueOrder([...state.jobs.values()]);
      const waiting = jobs.filter((job) => job.state === 'QUEUED').length;
      part.note(waiting > 0 ? `${waiting} waiting` : '');
      show(nothing, state.loaded && jobs.length === 0);
      render(jobs, (job) => job.id, (job) => queueLine(app, job));
      adding.update();
    },
  };
}

function queueLine(app, first) {
  const chip = stateChip();
  const name = h('a', { class: 'job-name', href: `#/jobs/${first.id}` });
  const note = h('span', { class: 'note' });
  const right = h('span', { class: 'figures queue-figure' });
  const progress = bar(`Progress of ${first.name}`);
  const actions = jobActions(app, first, { only: ['release', 'resume', 'retry', 'cancel'] });
  const element = h('li', { class: 'queue-line', data: { jobId: first.id } }, chip.element, name, right, note, actions.element, progress.element, actions.refusal);
  return {
    element,
    update(job) {
      chip.update(lookUp(JOB, job.state), job.state);
      attribute(element, 'data-state', job.state);
      text(name, job.name);
      attribute(name, 'title', job.name);
      text(note, noteOf(job));
      text(right, figureOf(job));
      show(progress.element, isActive(job) && job.kind !== 'command');
      progress.update(job.progress_percentage, lookUp(JOB, job.state).meaning);
      actions.update(job);
      element.classList.toggle('asks', job.state === 'HELD' || job.state === 'INTERRUPTED');
      // The running job has its controls on its machine; a finished one on its own page.
      show(actions.element, !isOver(job) && !(isActive(job) && job.kind !== 'command'));
    },
  };
}

function noteOf(job) {
  const where = job.kind === 'command' ? 'program' : job.device || job.driver || 'any machine';
  const urgent = job.priority > 0 ? ` · priority ${job.priority}` : '';
  const cause = job.state === 'FAILED' || job.state === 'INTERRUPTED' ? job.error || job.reason : '';
  return `${where}${urgent}${cause ? ` · ${cause}` : ''}`;
}

function figureOf(job) {
  if (!isActive(job)) return '';
  const eta = remaining(job);
  if (job.kind === 'command') return '';
  return eta === null ? percent(job.progress_percentage) : `${percent(job.progress_percentage)} · ${clock(eta)}`;
}
