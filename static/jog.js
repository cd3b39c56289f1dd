/**
 * Moves by hand: a pad of directions, a step, a feed. With the focus on the pad the arrow keys move
 * X and Y, Page up and Page down move Z, Esc ends the move.
 */

import { actionButton, outcome } from './actions.js';
import { devicePath, post } from './api.js';
import { attribute, h, show, text, uniqueId } from './dom.js';
import { blockedBy, KEYS, moveOf, STEPS } from './jogwords.js';
import { can } from './machinecontrols.js';

const PAD = [
  { way: 'y+', label: 'Y+', words: 'away from you' },
  { way: 'x-', label: 'X\u2212', words: 'to the left' },
  { way: 'x+', label: 'X+', words: 'to the right' },
  { way: 'y-', label: 'Y\u2212', words: 'towards you' },
  { way: 'z+', label: 'Z+', words: 'up' },
  { way: 'z-', label: 'Z\u2212', words: 'down' },
];

export function jogPad(app, name) {
  let step = 1;
  let busy = false;
  let reason = '';
  let draws = null;
  const place = outcome();
  const group = uniqueId('step');
  const feedId = uniqueId('feed');
  const feed = h('input', { id: feedId, type: 'number', min: 1, max: 20000, step: 'any', value: 1000, inputmode: 'numeric' });
  const steps = STEPS.map((size) => {
    const id = `${group}-${String(size).replace('.', '-')}`;
    const input = h('input', { type: 'radio', name: group, id, value: size, checked: size === step, on: { change: () => pickStep(size) } });
    return h('span', { class: 'step' }, input, h('label', { for: id }, `${size}`));
  });
  const buttons = PAD.map(({ way, label, words }) => {
    const button = h('button', { type: 'button', class: `jog-${way.replace('+', 'plus').replace('-', 'minus')}`, data: { jog: way }, on: { click: () => move(way) } }, label);
    return { way, label, words, button };
  });
  const stop = actionButton({ label: 'Stop move', name: 'jog-stop', place, act: halt });
  stop.button.setAttribute('aria-label', `Stop the move of ${name} by hand`);
  const why = h('p', { class: 'note', role: 'status' });
  const hint = h('p', { class: 'note jog-keys', id: uniqueId('hint') }, 'Arrow keys move X and Y, Page up and Page down move Z, Esc stops the move.');
  const pad = h('div', { class: 'jog-pad', tabindex: '0', role: 'group', 'aria-label': `Move ${name} by hand`, 'aria-describedby': hint.id, on: { keydown: pressed } }, buttons.map(({ button }) => button), stop.element);
  const fields = h('div', { class: 'jog-fields' }, h('fieldset', { class: 'steps' }, h('legend', {}, 'Step in mm'), steps), h('p', { class: 'field' }, h('label', { for: feedId }, 'Feed in mm/min'), feed));
  const element = h('details', { class: 'jog', data: { jog: name } }, h('summary', {}, 'Move by hand'), why, h('div', { class: 'jog-body' }, pad, fields), hint, place.element);
  pickStep(step);

  function pickStep(size) {
    step = size;
    for (const { way, words, button } of buttons) {
      const pen = draws && way.startsWith('z');
      button.setAttribute('aria-label', pen ? `Pen of ${name} ${words} (${way})` : `Move ${name} ${step} mm ${words} (${way})`);
    }
  }

  /** A pen has no way along Z: it is up or down. */
  function nameZ(pen) {
    if (pen === draws) return;
    draws = pen;
    for (const { way, label, words, button } of buttons) if (way.startsWith('z')) text(button, pen ? `Pen ${words}` : label);
    text(hint, `Arrow keys move X and Y, Page up and Page down ${pen ? 'lift and lower the pen' : 'move Z'}, Esc stops the move.`);
    pickStep(step);
  }

  async function move(way) {
    // One move at a time: a key that is held repeats faster than a machine answers.
    if (busy || reason !== '') return;
    if (!app.store.live) {
      place.say('There is no connection: nothing was sent.');
      return;
    }
    const wish = moveOf(way, step, feed.value);
    if (wish === null) {
      place.say('Move: the feed is a number from 1 to 20 000 mm a minute.');
      return;
    }
    busy = true;
    place.say('');
    try {
      app.reading.take('device', await post(devicePath(name, 'jog'), wish));
    } catch (error) {
      place.say(`Move: ${error.message}`);
    }
    busy = false;
  }

  async function halt() {
    app.reading.take('device', await post(devicePath(name, 'jog'), { stop: true }));
  }

  function pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') {
      // It still counts as the first half of "Esc Esc": that stops everything.
      if (!event.repeat && reason === '') stop.button.click();
      return;
    }
    if (!Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    move(KEYS[event.key]);
  }

  return {
    element,
    update(device, readonly) {
      show(element, can(device, 'jog'));
      nameZ(can(device, 'pen'));
      reason = readonly ? 'Your key may look, not move.' : blockedBy(device);
      text(why, reason);
      show(why, reason !== '');
      attribute(element, 'data-blocked', reason === '' ? null : 'true');
      for (const { button } of buttons) if (button.disabled !== (reason !== '')) button.disabled = reason !== '';
      stop.show(reason === '');
    },
  };
}
