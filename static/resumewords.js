/** What going on with an interrupted job would do, in words. Pure functions. */

import { coordinate, count, plural } from './format.js';
import { sentenceOf } from './reportwords.js';

const CONFIDENCE = {
  certain: { meaning: 'good', word: 'certain', lead: 'The machine knows where it is.' },
  needs_homing: { meaning: 'attention', word: 'needs homing', lead: 'The machine must be homed first: it no longer knows where it is.' },
  untrusted: { meaning: 'bad', word: 'not to be trusted', lead: 'Nobody knows for sure where the tool is and what was done.' },
};
const UNKNOWN = { meaning: 'attention', word: 'not known', lead: 'This station does not say what it would do. Look at the machine first.' };

/** `{meaning, word, lead, reason}` of how far a plan can be relied on. */
export function confidenceOf(plan) {
  const words = CONFIDENCE[plan?.confidence] ?? UNKNOWN;
  return { ...words, reason: plan?.reason ? sentenceOf(plan.reason) : '' };
}

/** What would happen, step by step, as sentences. */
export function stepsOf(plan) {
  const steps = [];
  if (typeof plan.last_certain_line === 'number') {
    steps.push(plan.last_certain_line > 0 ? `Everything up to line ${count(plan.last_certain_line)} is known to be done.` : 'No line of the file is known to be done.');
  }
  if (plan.preamble?.length > 0) steps.push(`First, ${plural(plan.preamble.length, 'line brings', 'lines bring')} the tool back, as shown below.`);
  if (typeof plan.from_line === 'number') {
    const left = typeof plan.lines_left === 'number' ? `, ${plural(plan.lines_left, 'line')} to the end` : '';
    steps.push(`Then it goes on at line ${count(plan.from_line)}${left}.`);
  } else if (plan.token) {
    steps.push('No line of the file is left to be done.');
  }
  if (plan.redo_lines > 0) steps.push(`${plural(plan.redo_lines, 'line')} that may have been done already ${plan.redo_lines === 1 ? 'is' : 'are'} done again.`);
  const at = placeWords(plan.position);
  if (at) steps.push(`The machine says that its tool is at ${at}.`);
  return steps;
}

/** A position as an object or as a list, in words; nothing if it is neither. */
export function placeWords(position) {
  if (!position) return '';
  const axes = Array.isArray(position) ? position : [position.x, position.y, position.z];
  return axes.map((value, i) => (typeof value === 'number' ? `${'XYZ'[i]} ${coordinate(value)}` : '')).filter(Boolean).join(' ');
}

/** True if the station takes a plan only when a person insists. */
export const needsForce = (plan) => plan?.confidence === 'untrusted';
