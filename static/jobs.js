/** All jobs as a table with a filter. */

import { get } from './api.js';
import { attribute, h, keyed, show, text, uniqueId } from './dom.js';
import { count, moment, percent, UNKNOWN } from './format.js';
import { jobActions } from './jobactions.js';
import { durationOf } from './jobtimes.js';
import { bar, empty, row, stateChip, table } from './parts.js';
import { waitOf, waitWords } from './queuewords.js';
import { verdictChip } from './report.js';
import { isOver, JOB, lookUp } from './states.js';

const COLUMNS = [
  { title: 'State', class: 'cell-state' },
  { title: 'Job', class: 'cell-main' },
  { title: 'Where' },
  { title: 'Progress', class: 'cell-progress' },
  { title: 'Submitted', class: 'figures' },
  { title: 'Time', class: 'figures' },
  { title: 'Actions', class: 'cell-actions' },
];

export function jobsView(app) {
  const filterId = uniqueId('state');
  const filter = h('select', { id: filterId, on: { change: () => choose() } }, h('option', { value: '' }, 'all states'), Object.entries(JOB).map(([word, { word: shown }]) => h('option', { value: word }, shown)));
  const note = h('span', { class: 'note' });
  const { element: list, body } = table('Jobs, newest first', COLUMNS);
  const render = keyed(body);
  const nothing = empty('No jobs here.', 'Drop a file anywhere on the overview, or run ', h('code', {}, 'stationd submit FILE'), ' in a terminal.');
  const trouble = h('p', { class: 'refusal', role: 'alert' });
  const element = h('div', { class: 'view' }, h('div', { class: 'view-head' }, h('h1', {}, 'Jobs'), note, h('p', { class: 'field' }, h('label', { for: filterId }, 'State'), filter)), trouble, list, nothing);

  /** What is shown comes from the store; the station adds those of this state that were not read. */
  async function choose() {
    app.store.redraw();
    if (filter.value === '') return;
    try {
      const page = await get(`/jobs?limit=100&state=${filter.value}`);
      app.store.change((state) => page.items.forEach((job) => state.jobs.set(job.id, { ...state.jobs.get(job.id), ...job })));
    } catch (error) {
      app.store.change((state) => state.troubles.set('jobs', error.message));
    }
  }

  return {
    title: 'Jobs',
    element,
    filter,
    update(state) {
      const jobs = [...state.jobs.values()].filter((job) => !filter.value || job.state === filter.value);
      jobs.sort((one, other) => (one.id < other.id ? 1 : -1));
      text(note, `${count(jobs.length)}${state.moreJobs ? ' newest' : ''}`);
      text(trouble, state.troubles.has('jobs') ? `The list could not be read: ${state.troubles.get('jobs')}.` : '');
      show(trouble, state.troubles.has('jobs'));
      show(nothing, state.loaded && jobs.length === 0);
      show(list, jobs.length > 0);
      render(jobs, (job) => job.id, (job) => jobRow(app, job));
    },
  };
}

function jobRow(app, first) {
  const chip = stateChip();
  const name = h('a', { class: 'job-name', href: `#/jobs/${first.id}` });
  const cause = h('span', { class: 'note clamp' });
  const verdict = verdictChip();
  const where = h('span');
  const figure = h('span', { class: 'figures' });
  const progress = bar(`Progress of ${first.name}`);
  const submitted = h('span');
  const took = h('span');
  const actions = jobActions(app, first);
  const element = row(COLUMNS, [chip.element, [name, h('span', { class: 'note-line' }, verdict.element, cause)], where, [figure, progress.element], submitted, took, [actions.element, actions.refusal]], { data: { jobId: first.id } });
  return {
    element,
    update(job) {
      chip.update(lookUp(JOB, job.state), job.state);
      attribute(element, 'data-state', job.state);
      text(name, job.name);
      text(cause, job.error || waitWords(waitOf(app.store.state, job)) || job.reason || (job.command ?? []).join(' '));
      verdict.update(job);
      text(where, whereOf(job));
      const begun = (job.kind !== 'command' || job.progress_percentage > 0) && job.state !== 'QUEUED' && job.state !== 'HELD';
      text(figure, begun ? percent(job.progress_percentage) : UNKNOWN);
      show(progress.element, begun);
      progress.update(job.progress_percentage, lookUp(JOB, job.state).meaning);
      text(submitted, moment(job.created_at));
      const time = durationOf(job);
      text(took, time === null ? UNKNOWN : isOver(job) ? time.words : `${time.words} so far`);
      actions.update(job);
    },
  };
}

/** Where a job runs. */
export const whereOf = (job) => (job.kind === 'command' ? 'program' : job.device || job.driver || 'any machine');
