/** The preflight of a job: a verdict, what speaks against it, its bounds against the machine's reach. */

import { attribute, h, keyed, show, text } from './dom.js';
import { clock, coordinate, count, UNKNOWN } from './format.js';
import { stateChip } from './parts.js';
import { beyondWords, boundsOf, machineFor } from './reportwords.js';
import { lookUp, VERDICT } from './states.js';

/** The verdict alone, for a tight place, while a job can still be kept from running; nothing if it is green. */
export function verdictChip() {
  const chip = stateChip();
  return {
    element: chip.element,
    update(job) {
      const verdict = job.analysis?.verdict;
      show(chip.element, job.state === 'HELD' && (verdict === 'amber' || verdict === 'red'));
      if (verdict) chip.update(lookUp(VERDICT, verdict), verdict);
    },
  };
}

/** The whole report: `update(job, state)`. */
export function reportPart() {
  const chip = stateChip();
  const lead = h('span');
  const verdictLine = h('p', { class: 'verdict' }, chip.element, lead);
  const problems = h('ol', { class: 'problems' });
  const render = keyed(problems);
  const bounds = boundsTable();
  const figures = figuresPart();
  const element = h('section', { class: 'report', 'aria-label': 'Preflight' }, h('h2', {}, 'Preflight'), verdictLine, problems, bounds.element, figures.element);
  return {
    element,
    update(job, state) {
      const { analysis } = job;
      show(element, Boolean(analysis));
      if (!analysis) return;
      const verdict = lookUp(VERDICT, analysis.verdict ?? 'unknown');
      show(verdictLine, Boolean(analysis.verdict));
      chip.update(verdict);
      attribute(element, 'data-verdict', analysis.verdict);
      text(lead, job.forced && analysis.verdict === 'red' ? 'A person lets it run all the same.' : verdict.why);
      const found = problemsOf(analysis);
      show(problems, found.length > 0);
      render(found, (problem) => `${problem.severity} ${problem.line} ${problem.code} ${problem.message}`, problemLine);
      const envelope = machineFor(state, job)?.envelope ?? null;
      bounds.update(boundsOf(analysis, envelope));
      figures.update(job);
    },
  };
}

/** A station without verdicts gives warnings alone. */
function problemsOf(analysis) {
  if (Array.isArray(analysis.problems)) return analysis.problems;
  return (analysis.warnings ?? []).map((message) => ({ severity: 'amber', line: null, code: 'warning', message }));
}

function problemLine({ severity, line, message }) {
  const chip = stateChip();
  chip.update(lookUp(VERDICT, severity), severity);
  const times = h('span', { class: 'note figures' });
  const element = h('li', { data: { severity, meaning: lookUp(VERDICT, severity).meaning } }, chip.element, h('span', { class: 'figures problem-line' }, typeof line === 'number' ? `line ${count(line)}` : 'whole file'), h('span', { class: 'words' }, message), times);
  return { element, update: ({ count: lines }) => text(times, lines > 1 ? `${count(lines)} lines` : '') };
}

/** From where to where the file goes, and how far the machine reaches, axis by axis. */
function boundsTable() {
  const cells = ['X', 'Y', 'Z'].map((axis) => {
    const [from, to, reach, beyond] = [0, 1, 2, 3].map(() => h('td', { class: 'figures' }));
    return { from, to, reach, beyond, row: h('tr', {}, h('th', { scope: 'row' }, axis), from, to, reach, beyond) };
  });
  const head = ['Axis', 'From', 'To', 'Reach', 'Beyond'].map((title) => h('th', { scope: 'col' }, title));
  const note = h('p', { class: 'note' });
  const table = h('table', { class: 'bounds' }, h('caption', { class: 'visually-hidden' }, 'Bounds of the file and reach of the machine, in millimetres'), h('thead', {}, h('tr', {}, head)), h('tbody', {}, cells.map(({ row }) => row)));
  const element = h('div', { class: 'bounds-part' }, table, note);
  return {
    element,
    update(bounds) {
      show(element, bounds.length > 0);
      bounds.forEach(({ from, to, low, limit, beyond }, i) => {
        const cell = cells[i];
        text(cell.from, coordinate(from));
        text(cell.to, coordinate(to));
        text(cell.reach, limit === null ? UNKNOWN : `${coordinate(low)} to ${coordinate(limit)}`);
        text(cell.beyond, beyond > 0 ? coordinate(beyond) : UNKNOWN);
        attribute(cell.row, 'data-meaning', beyond > 0 ? 'bad' : null);
      });
      const words = beyondWords(bounds);
      text(note, words ? `Out of reach ${words}.` : bounds.some(({ limit }) => limit !== null) ? 'All in millimetres, within the reach of the machine.' : 'All in millimetres. No reach is configured for the machine: bounds are not checked.');
    },
  };
}

function figuresPart() {
  const rows = [
    ['Estimate', ({ analysis }) => clock(analysis.estimated_seconds)],
    ['Lines', ({ analysis }) => count(analysis.lines)],
    ['Working moves', ({ analysis }) => millimetres(analysis.draw_length_mm)],
    ['Travel', ({ analysis }) => millimetres(analysis.travel_length_mm)],
    ['Pen lifts', ({ analysis }) => typeof analysis.pen_lifts === 'number' && count(analysis.pen_lifts)],
    ['Stops for a person', ({ analysis }) => Array.isArray(analysis.stops) && count(analysis.stops.length)],
    ['Layers', ({ analysis }) => analysis.layers?.length > 0 && count(analysis.layers.length)],
  ].map(([label, value]) => {
    const cell = h('dd', { class: 'figures' });
    return { value, cell, line: h('div', {}, h('dt', {}, label), cell) };
  });
  return {
    element: h('dl', { class: 'details' }, rows.map(({ line }) => line)),
    update: (job) =>
      rows.forEach(({ value, cell, line }) => {
        const words = value(job);
        show(line, words !== false && words !== null && words !== undefined);
        text(cell, words || '');
      }),
  };
}

const millimetres = (value) => (typeof value !== 'number' ? UNKNOWN : value >= 10000 ? `${(value / 1000).toFixed(2)} m` : `${count(value)} mm`);
