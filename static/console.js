/**
 * What a machine says and is sent, as it happens, and a line to send to it. While it is open it
 * follows the machine's own channel; a station that does not tell shows the answers alone. The arrow
 * keys bring earlier lines back.
 */

import { outcome } from './actions.js';
import { devicePath, post } from './api.js';
import { EXAMPLES, isHidden, tell } from './consolewords.js';
import { attribute, h, show, text, uniqueId } from './dom.js';
import { plural } from './format.js';
import { clean, linesOf } from './loglines.js';

const KEPT = 500;
const ANSWER = 2000; // Milliseconds after a person's line within which an "ok" is an answer to it.

export function machineConsole(app, name) {
  const [id, quietId] = ['line', 'quiet'].map(uniqueId);
  const input = h('input', { id, type: 'text', class: 'mono', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': `${id}-hint` });
  const quiet = h('input', { id: quietId, type: 'checkbox', checked: true, on: { change: refilter } });
  const note = h('span', { class: 'note figures' });
  const output = h('div', { class: 'transcript mono', role: 'log', 'aria-label': `Talk with ${name}`, tabindex: '0', on: { scroll: scrolled } });
  const place = outcome();
  const send = h('button', { type: 'submit' }, 'Send');
  const form = h('form', { class: 'console-line' }, h('label', { for: id, class: 'visually-hidden' }, `Line to send to ${name}`), input, send);
  const hint = h('p', { class: 'note', id: `${id}-hint` }, 'Sent as it is typed. Motion starts at once.');
  const head = h('p', { class: 'console-head' }, quiet, h('label', { for: quietId }, 'Hide polling'), note);
  const element = h('details', { class: 'console', data: { console: name }, on: { toggle } }, h('summary', {}, 'Console'), head, output, form, hint, place.element);

  /** What is kept: `{kind, words, hidden, element}`; what waits for the next frame. */
  let lines = [];
  let waiting = [];
  let frame = null;
  let held = false;
  let leave = null;
  let heard = 0;
  /** Lines that a person sent here, which the channel tells again. */
  let echoes = [];
  let awaited = 0;
  const earlier = [];
  let recalled = 0;

  function toggle() {
    if (element.open && leave === null) leave = app.following.follow(`device:${name}`, { begin() {}, line: hear, refused: (words) => print(`not followed live: ${words}`, 'bad') });
    else if (!element.open) close();
  }

  function close() {
    leave?.();
    leave = null;
  }

  function hear(words, message) {
    heard += 1;
    for (const line of linesOf(words)) {
      const told = tell(line, message?.level);
      const echo = echoes.indexOf(told.words);
      if (told.kind !== 'got' && echo >= 0) echoes.splice(echo, 1);
      else print(told.words, told.kind);
    }
  }

  function print(words, kind) {
    const line = { kind, words };
    line.hidden = isHidden(line, performance.now() < awaited);
    waiting.push(line);
    if (waiting.length > KEPT) waiting.shift();
    frame ??= requestAnimationFrame(draw);
  }

  /** Once a frame, however fast a machine talks. */
  function draw() {
    frame = null;
    for (const line of waiting) {
      line.element = h('p', { class: line.kind }, line.words === '' ? '\u00a0' : line.words);
      show(line.element, !(quiet.checked && line.hidden));
      lines.push(line);
    }
    output.append(...waiting.map((line) => line.element));
    waiting = [];
    // What is hidden must not push out what is seen.
    const surplus = (list) => list.splice(0, Math.max(0, list.length - KEPT));
    const [noise, talk] = [lines.filter((line) => line.hidden), lines.filter((line) => !line.hidden)];
    const gone = new Set([...surplus(noise), ...surplus(talk)]);
    for (const line of gone) line.element.remove();
    if (gone.size > 0) lines = lines.filter((line) => !gone.has(line));
    if (!held) output.scrollTop = output.scrollHeight;
    count();
  }

  function refilter() {
    for (const line of lines) show(line.element, !(quiet.checked && line.hidden));
    if (!held) output.scrollTop = output.scrollHeight;
    count();
  }

  function count() {
    const hidden = quiet.checked ? lines.filter((line) => line.hidden).length : 0;
    text(note, [plural(lines.length - hidden, 'line'), hidden > 0 ? `${hidden} hidden` : '', held ? 'scrolled up' : ''].filter(Boolean).join(', '));
  }

  function scrolled() {
    held = output.scrollHeight - output.clientHeight - output.scrollTop > 24;
    count();
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const line = input.value.trim();
    if (line === '') return;
    if (!app.store.live) {
      place.say('There is no connection: nothing was sent.');
      return;
    }
    place.say('');
    earlier.push(line);
    recalled = earlier.length;
    input.value = '';
    awaited = performance.now() + ANSWER;
    print(line, 'sent');
    echoes = [...echoes.slice(-9), line];
    const before = heard;
    send.disabled = true;
    try {
      const { reply } = await post(devicePath(name, 'send'), { line });
      awaited = performance.now() + ANSWER;
      // Where the channel tells what the machine says, it has told this or is about to.
      await new Promise((resolve) => setTimeout(resolve, 150));
      if (heard === before) for (const answer of reply ?? []) print(clean(answer), tell(answer, 'INFO').kind);
    } catch (error) {
      place.say(`Send: ${error.message}`);
    }
    send.disabled = false;
  });

  input.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || earlier.length === 0) return;
    event.preventDefault();
    recalled = Math.min(earlier.length, Math.max(0, recalled + step));
    input.value = earlier[recalled] ?? '';
  });

  return {
    element,
    dispose() {
      cancelAnimationFrame(frame);
      close();
    },
    /** Whoever may only look sees the talk without the line to send. */
    update(device, readonly) {
      attribute(input, 'placeholder', EXAMPLES[device.driver] ?? null);
      show(form, !readonly);
      show(hint, !readonly);
    },
  };
}
