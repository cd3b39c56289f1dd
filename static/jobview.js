/** One job: everything that is known of it, what it asks of a person, and what can be done with it. */

import { get, jobPath } from './api.js';
import { callPart } from './call.js';
import { attribute, h, show, text } from './dom.js';
import { clock, count, moment, percent } from './format.js';
import { jobActions } from './jobactions.js';
import { historyPart } from './jobhistory.js';
import { whereOf } from './jobs.js';
import { durationOf, remaining } from './jobtimes.js';
import { logPanel, TAIL } from './livelog.js';
import { bar, empty, stateChip, why } from './parts.js';
import { preview } from './preview.js';
import { waitOf } from './queuewords.js';
import { reportPart } from './report.js';
import { machineFor, sentenceOf } from './reportwords.js';
import { isActive, JOB, lookUp } from './states.js';
import { waitPart } from './wait.js';

/** One job: what it is, how far, why it is where it is, what its file holds. */
export function jobView(app, id) {
  const chip = stateChip();
  const reason = why();
  const title = h('h1');
  const error = h('p', { class: 'trouble' });
  const progress = bar('Progress');
  const figures = h('p', { class: 'progress-line' }, h('span', { class: 'large figures' }), h('span', { class: 'note figures' }));
  const pairs = pairsPart();
  const said = h('p', { class: 'program-says' });
  const report = reportPart();
  const history = historyPart(id);
  const crumb = h('span');
  const wait = waitPart({ whole: true });
  const reading = h('p', { class: 'note' }, 'Reading this job…');
  const missing = empty('This job is not here.', 'It may have been deleted. ', h('a', { href: '#/jobs' }, 'All jobs'));
  const body = h('div', { class: 'job-body' });
  const element = h('div', { class: 'view', data: { jobId: id } }, h('p', { class: 'crumb' }, h('a', { href: '#/jobs' }, 'Jobs'), crumb), reading, body, missing);
  show(missing, false);
  const head = h('div', { class: 'view-head' }, chip.element, title, reason.button);
  let picture = null;
  let actions = null;
  let call = null;
  let log = null;
  let looks = location.hash.endsWith('?resume');
  let absent = false;

  get(jobPath(id)).then(
    (job) => app.reading.take('job', job),
    () => {
      absent = true;
      app.store.redraw();
    },
  );

  function attach(job) {
    const command = job.kind === 'command';
    actions = jobActions(app, job, { wide: true });
    call = callPart();
    picture = command ? null : preview();
    log = command ? logPanel(app, { name: job.name, channel: `job:${id}`, path: `${jobPath(id, 'log')}?tail=${TAIL}`, title: 'Output' }) : null;
    body.replaceChildren(
      head,
      reason.cause,
      wait.element,
      call.element,
      actions.refusal,
      error,
      h('div', { class: picture ? 'job-detail' : 'job-detail plain' }, picture?.element ?? '', h('div', {}, figures, progress.element, said, pairs.element, picture ? report.element : '')),
      log?.element ?? '',
      history.element,
    );
  }

  return {
    title: 'Job',
    element,
    dispose() {
      picture?.dispose();
      log?.dispose();
    },
    update(state) {
      const job = state.jobs.get(id);
      show(body, Boolean(job));
      show(missing, !job && absent);
      const known = Boolean(job) && (actions !== null || job.kind !== null); // Of a new one the kind is about to be read.
      show(reading, !known && !absent);
      text(crumb, job ? ` / ${job.name}` : '');
      if (!known) return;
      if (!actions) attach(job);
      const word = lookUp(JOB, job.state);
      attribute(element, 'data-state', job.state);
      chip.update(word, job.state);
      const waits = waitOf(state, job);
      wait.update(waits);
      reason.update([word.why, job.reason !== job.error && job.reason].filter(Boolean).join(' '));
      text(title, job.name);
      const asks = call.update(state, job);
      // What answers a call stands in it.
      const home = asks ? call.element : head;
      if (actions.element.parentElement !== home) home.append(actions.element);
      text(error, job.error ?? '');
      show(error, Boolean(job.error) && !asks);
      // A program that says nothing of how far it is has no bar.
      const measured = job.kind !== 'command' || job.progress_percentage > 0;
      text(figures.firstChild, measured ? percent(job.progress_percentage, 1) : '');
      const eta = remaining(job);
      text(figures.lastChild, eta === null ? '' : `${clock(eta)} left`);
      show(progress.element, measured);
      // A machine says what it waits for as long as it waits; a program's last word stays.
      const says = job.message && (job.kind === 'command' || isActive(job)) ? job.message : '';
      text(said, job.kind === 'command' ? says : sentenceOf(says));
      show(said, says !== '');
      progress.update(job.progress_percentage, word.meaning);
      pairs.update(job);
      report.update(job, state);
      history.update(state);
      picture?.update(job, machineFor(state, job));
      actions.update(job);
      if (looks && job.state === 'INTERRUPTED') actions.lookAtResume()?.catch(() => {});
      looks = false;
    },
  };
}

function pairsPart() {
  const rows = [
    ['Machine', (job) => (job.kind === 'command' ? null : whereOf(job))],
    ['Program', (job) => job.command?.join(' ')],
    ['Lines', (job) => job.kind !== 'command' && job.lines_total > 0 && `${count(job.lines_acknowledged)} of ${count(job.lines_total)}`],
    ['Priority', (job) => job.priority || 'normal'],
    ['Attempts', (job) => job.attempts > 0 && `${job.attempts} of ${job.max_attempts}`],
    ['Submitted', (job) => `${moment(job.created_at)}${job.submitted_by ? ` by ${job.submitted_by}` : ''}`],
    ['Started', (job) => job.started_at && moment(job.started_at)],
    ['Ended', (job) => job.finished_at && moment(job.finished_at)],
    [(job) => durationOf(job)?.label, (job) => durationOf(job)?.words],
    ['Exit code', (job) => job.exit_code],
    ['After', (job) => job.depends_on?.length > 0 && job.depends_on.map(neededWords).join(', ')],
    ['Id', (job) => job.id],
  ].map(([label, value]) => {
    const cell = h('dd', { class: 'figures' });
    const title = h('dt', {}, typeof label === 'string' ? label : '');
    return { label, title, value, cell, line: h('div', {}, title, cell) };
  });
  return {
    element: h('dl', { class: 'details' }, rows.map(({ line }) => line)),
    update: (job) =>
      rows.forEach(({ label, title, value, cell, line }) => {
        const words = value(job);
        if (typeof label === 'function') text(title, label(job));
        show(line, words !== null && words !== undefined && words !== false && words !== '');
        text(cell, words);
      }),
  };
}

/** A job that must have ended first: its id, or an object that says how. */
const neededWords = (needed) => (typeof needed === 'string' ? needed : `${needed.job} ${needed.on}`);
