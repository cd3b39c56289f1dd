/** All jobs as a table with a filter, and one job with everything that is known of it. */

import { get, jobPath } from './api.js';
import { attribute, h, keyed, show, text, uniqueId } from './dom.js';
import { clock, coordinate, count, moment, percent, span, UNKNOWN } from './format.js';
import { jobActions } from './jobactions.js';
import { remaining } from './machines.js';
import { bar, empty, row, stateChip, table, why } from './parts.js';
import { preview } from './preview.js';
import { isActive, JOB, lookUp } from './states.js';

const COLUMNS = [
  { title: 'State', class: 'cell-state' },
  { title: 'Job', class: 'cell-main' },
  { title: 'Where' },
  { title: 'Progress', class: 'cell-progress' },
  { title: 'Submitted', class: 'figures' },
  { title: 'Took', class: 'figures' },
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
  const where = h('span');
  const figure = h('span', { class: 'figures' });
  const progress = bar(`Progress of ${first.name}`);
  const submitted = h('span');
  const took = h('span');
  const actions = jobActions(app, first);
  const element = row(COLUMNS, [chip.element, [name, cause], where, [figure, progress.element], submitted, took, [actions.element, actions.refusal]], { data: { jobId: first.id } });
  return {
    element,
    update(job) {
      chip.update(lookUp(JOB, job.state), job.state);
      attribute(element, 'data-state', job.state);
      text(name, job.name);
      text(cause, job.error || job.reason || (job.command ?? []).join(' '));
      text(where, whereOf(job));
      const begun = job.kind !== 'command' && job.state !== 'QUEUED' && job.state !== 'HELD';
      text(figure, begun ? percent(job.progress_percentage) : UNKNOWN);
      show(progress.element, begun);
      progress.update(job.progress_percentage, lookUp(JOB, job.state).meaning);
      text(submitted, moment(job.created_at));
      text(took, tookOf(job));
      actions.update(job);
    },
  };
}

const whereOf = (job) => (job.kind === 'command' ? 'program' : job.device || job.driver || 'any machine');

function tookOf(job) {
  const from = Date.parse(job.started_at ?? '');
  const until = isActive(job) ? Date.now() : Date.parse(job.finished_at ?? '');
  return Number.isNaN(from) || Number.isNaN(until) ? UNKNOWN : clock((until - from) / 1000);
}

/** One job: what it is, how far, why it is where it is, what its file holds. */
export function jobView(app, id) {
  const chip = stateChip();
  const reason = why();
  const title = h('h1');
  const error = h('p', { class: 'trouble' });
  const progress = bar('Progress');
  const figures = h('p', { class: 'progress-line' }, h('span', { class: 'large figures' }), h('span', { class: 'note figures' }));
  const pairs = pairsPart();
  const warnings = h('ul', { class: 'warnings' });
  const missing = empty('This job is not here.', 'It may have been deleted. ', h('a', { href: '#/jobs' }, 'All jobs'));
  const body = h('div', {});
  const element = h('div', { class: 'view', data: { jobId: id } }, h('p', { class: 'crumb' }, h('a', { href: '#/jobs' }, 'Jobs'), ' /'), body, missing);
  show(missing, false);
  let picture = null;
  let actions = null;
  let absent = false;

  get(jobPath(id)).then(
    (job) => app.reading.take('job', job),
    () => {
      absent = true;
      app.store.redraw();
    },
  );

  function attach(job) {
    actions = jobActions(app, job);
    picture = job.kind === 'command' ? null : preview();
    body.replaceChildren(
      h('div', { class: 'view-head' }, chip.element, title, reason.button, actions.element),
      reason.cause,
      actions.refusal,
      error,
      h('div', { class: picture ? 'job-detail' : 'job-detail plain' }, picture?.element ?? '', h('div', {}, figures, progress.element, pairs.element, warnings)),
    );
  }

  return {
    title: 'Job',
    element,
    dispose: () => picture?.dispose(),
    update(state) {
      const job = state.jobs.get(id);
      show(body, Boolean(job));
      show(missing, !job && absent);
      if (!job) return;
      if (!actions && job.kind === null) return; // Its kind is about to be read.
      if (!actions) attach(job);
      const word = lookUp(JOB, job.state);
      attribute(element, 'data-state', job.state);
      chip.update(word, job.state);
      reason.update([word.why, job.reason !== job.error && job.reason].filter(Boolean).join(' '));
      text(title, job.name);
      text(error, job.error ?? '');
      show(error, Boolean(job.error));
      text(figures.firstChild, job.kind === 'command' ? '' : percent(job.progress_percentage, 1));
      const eta = remaining(job);
      text(figures.lastChild, eta === null ? '' : `${clock(eta)} left`);
      show(progress.element, job.kind !== 'command');
      progress.update(job.progress_percentage, word.meaning);
      pairs.update(job);
      warn(warnings, job.analysis?.warnings ?? []);
      picture?.update(job, state.devices.get(job.device));
      actions.update(job);
    },
  };
}

function warn(list, words) {
  show(list, words.length > 0);
  if (list.childElementCount === words.length) return;
  list.replaceChildren(...words.map((word) => h('li', {}, word)));
}

function pairsPart() {
  const rows = [
    ['Machine', (job) => (job.kind === 'command' ? null : whereOf(job))],
    ['Program', (job) => job.command?.join(' ')],
    ['Lines', (job) => job.lines_total && `${count(job.lines_acknowledged)} of ${count(job.lines_total)}`],
    ['Priority', (job) => job.priority],
    ['Attempts', (job) => job.attempts && `${job.attempts} of ${job.max_attempts}`],
    ['Submitted', (job) => `${moment(job.created_at)}${job.submitted_by ? ` by ${job.submitted_by}` : ''}`],
    ['Started', (job) => job.started_at && moment(job.started_at)],
    ['Ended', (job) => job.finished_at && moment(job.finished_at)],
    ['Took', (job) => job.started_at && tookOf(job)],
    ['Exit code', (job) => job.exit_code],
    ['Estimate', (job) => job.analysis && clock(job.analysis.estimated_seconds)],
    ['Size', (job) => extent(job.analysis)],
    ['Working moves', (job) => job.analysis && `${coordinate(job.analysis.draw_length_mm)} mm`],
    ['Travel', (job) => job.analysis && `${coordinate(job.analysis.travel_length_mm)} mm`],
    ['After', (job) => job.depends_on?.length > 0 && job.depends_on.join(', ')],
    ['Id', (job) => job.id],
  ].map(([label, value]) => {
    const cell = h('dd', { class: 'figures' });
    return { value, cell, line: h('div', {}, h('dt', {}, label), cell) };
  });
  return {
    element: h('dl', { class: 'details' }, rows.map(({ line }) => line)),
    update: (job) =>
      rows.forEach(({ value, cell, line }) => {
        const words = value(job);
        show(line, words !== null && words !== undefined && words !== false && words !== '');
        text(cell, words);
      }),
  };
}

function extent(analysis) {
  if (!analysis?.min || !analysis.max) return null;
  const [wide, tall] = [0, 1].map((axis) => coordinate(analysis.max[axis] - analysis.min[axis]));
  return `${wide} × ${tall} mm`;
}
