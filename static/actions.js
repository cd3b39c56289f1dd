/**
 * Buttons that ask the station for something. Each shows that it is under way, says in its own place
 * what was refused, and asks in its own place first if it cannot be undone.
 */

import { h, show, text } from './dom.js';

let isLive = () => true;

/** Says how to tell whether the station listens. */
export function whenLive(test) {
  isLive = test;
}

/** The place beside a group of buttons where refusals stand until the next attempt. */
export function outcome() {
  const words = h('span');
  const close = h('button', { type: 'button', class: 'quiet small', on: { click: () => show(element, false) } }, 'Dismiss');
  const element = h('p', { class: 'refusal', role: 'alert' }, words, ' ', close);
  show(element, false);
  return {
    element,
    say(problem) {
      text(words, problem);
      show(element, problem !== '');
    },
  };
}

/**
 * A button that runs `act()`, a promise. Refusals go to `place`.
 * With `ask: {question(), yes, no, when?()}` it first turns into the question, always or when `when()` says so.
 */
export function actionButton({ label, title, act, place, ask, name, look = '' }) {
  const button = h('button', { type: 'button', class: look, title, data: { action: name } }, label);
  const element = h('span', { class: 'action' }, button);

  async function run() {
    if (!isLive()) {
      place.say('There is no connection: nothing was sent.');
      return;
    }
    place.say('');
    button.disabled = true;
    button.setAttribute('aria-busy', 'true');
    try {
      await act();
    } catch (error) {
      place.say(`${plain(label)}: ${error.message}`);
    }
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }

  button.addEventListener('click', () => (ask && (ask.when?.() ?? true) ? question(element, button, ask, run) : run()));
  return { element, button, show: (visible) => show(element, visible) };
}

/** Puts the question where the button was; the harmless answer has the focus, Esc gives it. */
function question(element, button, { question: words, yes, no }, run) {
  const keep = h('button', { type: 'button', data: { answer: 'no' } }, no);
  const go = h('button', { type: 'button', class: 'danger', data: { answer: 'yes' } }, yes);
  const group = h('span', { class: 'question', role: 'group', 'aria-label': words() }, h('span', {}, words()), go, keep);
  const close = () => {
    group.remove();
    show(button, true);
    button.focus();
  };
  keep.addEventListener('click', close);
  go.addEventListener('click', () => {
    close();
    run();
  });
  group.addEventListener('keydown', (event) => {
    // The key still counts as the first half of "Esc Esc": in a hurry nobody looks what is open.
    if (event.key === 'Escape') close();
  });
  show(button, false);
  element.append(group);
  keep.focus();
}

const plain = (label) => (typeof label === 'string' ? label : 'This');
