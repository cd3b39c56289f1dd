/**
 * The log of one daemon or job as it is written: the last lines from its file, then each line from the
 * WebSocket. It follows the end until a person scrolls up; then it stands still and counts what waits.
 */

import { getText } from './api.js';
import { attribute, h, show, text, uniqueId } from './dom.js';
import { count, plural } from './format.js';
import { beyond, contains, KEPT, linesOf, overlap } from './loglines.js';

/** Lines that are read back. */
export const TAIL = 200;
/** So near to the end, in pixels, is at the end. */
const NEAR = 24;

/** A line with its element, as text; null stands for lines that are not known. */
const lineOf = (words) => (words === null ? gap('some lines were missed') : { words, element: h('p', {}, words === '' ? '\u00a0' : words) });
const gap = (words) => ({ words: null, element: h('p', { class: 'gap' }, `… ${words} …`) });

/**
 * `{name, channel, path, title}`: whose log it is, the channel that tells its lines, and where the last
 * `TAIL` of them are read. `close()` is called when the person closes it; without, it stays.
 */
export function logPanel({ following }, { name, channel, path, title = 'Log' }, close = null) {
  const id = uniqueId('find-line');
  const find = h('input', { id, type: 'search', placeholder: 'word', autocomplete: 'off', spellcheck: 'false', on: { input: refilter } });
  const follow = h('button', { type: 'button', data: { action: 'follow' }, on: { click: () => hold(!held) } });
  const done = close && h('button', { type: 'button', class: 'quiet', 'aria-label': `Close the log of ${name}`, on: { click: close } }, 'Close');
  const note = h('span', { class: 'note figures' });
  const trouble = h('p', { class: 'refusal', role: 'alert' });
  const output = h('div', { class: 'log-lines mono', role: 'region', tabindex: '0', 'aria-label': `Log of ${name}`, on: { scroll: scrolled } });
  const head = h('header', {}, h('h3', {}, title), note, h('p', { class: 'field' }, h('label', { for: id }, 'Find'), find), follow, done);
  const element = h('div', { class: 'log-panel', data: { log: name }, role: 'group', 'aria-label': `Log of ${name}` }, head, trouble, output);

  /** What is shown, each with its element; what came since it was held still, or since the last frame. */
  let shown = [];
  let waiting = [];
  let missed = 0;
  /** Lines that came while the file is being read; null while it is not. */
  let early = null;
  let readings = 0;
  let held = false;
  let frame = null;
  let toldEmpty = false;

  const leave = following.follow(channel, { begin: read, line: (words) => linesOf(words).forEach(take), refused: (words) => say(`Live lines: ${words}`) });

  /** Everything from now on is heard: what was written before that stands in the file. */
  async function read() {
    readings += 1;
    const mine = readings;
    early ??= [];
    try {
      const lines = linesOf(await getText(path));
      if (mine === readings) join(lines);
      if (mine === readings) say('');
    } catch (error) {
      if (mine === readings) join([]);
      if (mine === readings) say(error.message);
    }
  }

  function join(tail) {
    const live = early ?? [];
    early = null;
    const have = [...shown.map((line) => line.words), ...waiting];
    // More was written while there was no connection than is read back.
    if (have.length > 0 && tail.length >= TAIL && overlap(have, tail) === 0) keep(null);
    for (const line of beyond(have, tail)) keep(line);
    for (const line of beyond(tail, live)) keep(line);
    toldEmpty = true;
    draw();
  }

  function take(line) {
    if (early === null) keep(line);
    else if (early.push(line) > KEPT) early.shift();
    draw();
  }

  function keep(line) {
    waiting.push(line);
    if (waiting.length <= KEPT) return;
    waiting.shift();
    missed += 1;
  }

  /** Once a frame, however fast lines come; a page that nobody sees is drawn when it is seen. */
  function draw() {
    frame ??= requestAnimationFrame(() => {
      frame = null;
      if (!held) append();
      tell();
    });
  }

  function append() {
    const fresh = waiting.map(lineOf);
    if (missed > 0) fresh.unshift(gap(`${plural(missed, 'line')} left out`));
    waiting = [];
    missed = 0;
    for (const line of fresh) show(line.element, line.words === null || contains(line.words, find.value));
    output.append(...fresh.map((line) => line.element));
    shown.push(...fresh);
    for (const line of shown.splice(0, Math.max(0, shown.length - KEPT))) line.element.remove();
    if (fresh.length > 0) output.scrollTop = output.scrollHeight;
  }

  function refilter() {
    for (const line of shown) show(line.element, line.words === null || contains(line.words, find.value));
    if (!held) output.scrollTop = output.scrollHeight;
    tell();
  }

  function hold(wanted) {
    held = wanted;
    if (!held) {
      append();
      output.scrollTop = output.scrollHeight;
    }
    tell();
  }

  function scrolled() {
    const end = output.scrollHeight - output.clientHeight - output.scrollTop <= NEAR;
    if (end === held) hold(!end);
  }

  function tell() {
    const matching = find.value === '' ? '' : `${count(shown.filter((line) => line.words !== null && contains(line.words, find.value)).length)} of `;
    const lines = toldEmpty && shown.length === 0 ? 'nothing written yet' : `${matching}${plural(shown.length, 'line')}`;
    const more = waiting.length + missed;
    text(note, held ? `${lines} · paused${more > 0 ? `, ${count(more)} new` : ''}` : lines);
    text(follow, held ? 'Follow' : 'Pause');
    attribute(follow, 'aria-label', held ? `Follow the log of ${name}` : `Pause the log of ${name}`);
    attribute(element, 'data-held', String(held));
  }

  function say(words) {
    text(trouble, words);
    show(trouble, words !== '');
  }

  say('');
  tell();
  return {
    element,
    focus: () => find.focus(),
    dispose() {
      cancelAnimationFrame(frame);
      leave();
    },
  };
}
