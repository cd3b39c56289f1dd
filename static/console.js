/** A line to a machine and what it answered; the arrow keys bring earlier lines back. */

import { devicePath, post } from './api.js';
import { outcome } from './actions.js';
import { h, uniqueId } from './dom.js';

const KEPT = 200;

export function machineConsole(app, name) {
  const id = uniqueId('line');
  const input = h('input', { id, type: 'text', class: 'mono', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', placeholder: '$I', 'aria-describedby': `${id}-hint` });
  const output = h('div', { class: 'transcript mono', role: 'log', 'aria-label': `Answers of ${name}`, tabindex: '0' });
  const place = outcome();
  const send = h('button', { type: 'submit' }, 'Send');
  const form = h('form', { class: 'console-line' }, h('label', { for: id, class: 'visually-hidden' }, `Line to send to ${name}`), input, send);
  const hint = h('p', { class: 'note', id: `${id}-hint` }, 'Sent as it is typed. Motion starts at once.');
  const element = h('details', { class: 'console' }, h('summary', {}, 'Console'), output, form, hint, place.element);
  const earlier = [];
  let recalled = 0;

  const print = (words, kind) => {
    output.append(h('p', { class: kind }, words));
    while (output.childElementCount > KEPT) output.firstChild.remove();
    output.scrollTop = output.scrollHeight;
  };

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
    print(line, 'sent');
    send.disabled = true;
    try {
      const { reply } = await post(devicePath(name, 'send'), { line });
      for (const answer of reply) print(visible(answer), /^(error|alarm)/i.test(answer) ? 'bad' : 'got');
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

  return { element };
}

/** Control characters of a machine as symbols, so that nothing hides in what it says. */
function visible(words) {
  return String(words).replace(/[\u0000-\u001f\u007f]/g, (character) => String.fromCharCode(0x2400 + (character === '\u007f' ? 0x21 : character.charCodeAt(0))));
}
