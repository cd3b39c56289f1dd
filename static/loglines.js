/** The lines of a log as they are kept: cleaned, bounded, joined without gap or repetition. Pure functions. */

/** More lines than that are not kept; a daemon that floods must not fill the page. */
export const KEPT = 1000;

/** Colours and movements that a program sends to a terminal. */
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** A line as text: without escape sequences, other control characters as symbols. */
export function clean(line) {
  const visible = (character) => (character === '\t' ? '    ' : String.fromCharCode(0x2400 + (character === '\u007f' ? 0x21 : character.charCodeAt(0))));
  return String(line).replace(/\r$/, '').replace(ESCAPES, '').replace(/[\u0000-\u001f\u007f]/g, visible);
}

/** The lines of a text; the end of the last line begins no other. */
export function linesOf(words) {
  const lines = String(words ?? '').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map(clean);
}

/** How many lines at the end of `have` are the first ones of `next`. */
export function overlap(have, next) {
  for (let length = Math.min(have.length, next.length); length > 0; length -= 1) {
    const from = have.length - length;
    let same = 0;
    while (same < length && have[from + same] === next[same]) same += 1;
    if (same === length) return length;
  }
  return 0;
}

/** What of `next` comes after `have`: the two were read from one log at different times. */
export const beyond = (have, next) => next.slice(overlap(have, next));

/** True if a line is to be shown; capitals do not matter. */
export const contains = (line, wanted) => wanted === '' || line.toLowerCase().includes(wanted.toLowerCase());
