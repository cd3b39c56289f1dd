/** What a preflight found, as words and figures. Pure functions. */

import { plural } from './format.js';

const AXES = ['X', 'Y', 'Z'];
const ROUNDED = 0.005; // Files are written with three decimals: what is rounded is not out of reach.

/** The machine whose reach counts for a job: its own, or the only one of its driver. */
export function machineFor(state, job) {
  const own = state.devices.get(job.device);
  if (own || job.device) return own ?? null;
  const fitting = [...state.devices.values()].filter((device) => job.driver && device.driver === job.driver);
  return fitting.length === 1 ? fitting[0] : null;
}

/** Per axis: from where to where the file moves, how far the machine reaches, how far the file leaves it. */
export function boundsOf(analysis, envelope) {
  if (!analysis?.min || !analysis.max) return [];
  const limits = [envelope?.x, envelope?.y, envelope?.z];
  return AXES.map((axis, i) => {
    const [from, to] = [analysis.min[i], analysis.max[i]];
    const limit = typeof limits[i] === 'number' ? limits[i] : null;
    const low = axis === 'Z' && limit !== null ? -limit : 0; // Z counts both ways from its origin.
    const over = limit === null ? 0 : Math.max(0, low - from, to - limit);
    return { axis, from, to, low, limit, beyond: over > ROUNDED ? over : 0 };
  });
}

const millimetres = (value) => `${value < 10 ? Number(value.toFixed(2)) : Math.round(value)} mm`;

/** "by 12 mm on X and 3 mm on Y", or nothing. */
export function beyondWords(bounds) {
  const parts = bounds.filter(({ beyond }) => beyond > 0).map(({ axis, beyond }) => `${millimetres(beyond)} on ${axis}`);
  if (parts.length === 0) return '';
  return `by ${parts.length === 1 ? parts[0] : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`}`;
}

/** True if a job must not start unless a person insists. */
export const isRed = (job) => job.analysis?.verdict === 'red' && !job.forced;

/** A problem in one line. */
export function problemWords({ line, message, count }) {
  const where = typeof line === 'number' ? `line ${line}: ` : '';
  return `${where}${message}${count > 1 ? ` (${plural(count, 'line')})` : ''}`;
}

/** Why a red job is held, in one sentence: its reach first, then the worst that was found. */
export function redWords(job, envelope) {
  const beyond = beyondWords(boundsOf(job.analysis, envelope));
  if (beyond) return `It leaves the machine’s reach ${beyond}.`;
  const worst = (job.analysis?.problems ?? []).find((problem) => problem.severity === 'red');
  if (!worst) return sentenceOf(job.error || 'The file should not run as it is');
  return worst.code === 'envelope' ? 'It leaves the machine’s reach.' : sentenceOf(problemWords(worst));
}

/** Words of a file, a machine or the station with a capital and a full stop. */
export function sentenceOf(words) {
  const plain = String(words).trim();
  if (plain === '') return '';
  const begun = plain[0].toUpperCase() + plain.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** True if what is wrong with a red job is that the machine does not reach so far. */
export const isBeyondReach = (job, envelope) => beyondWords(boundsOf(job.analysis, envelope)) !== '' || (job.analysis?.problems ?? []).some((problem) => problem.severity === 'red' && problem.code === 'envelope');
