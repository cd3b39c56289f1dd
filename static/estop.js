/**
 * The emergency stop. It goes out as a plain POST, so it works while the WebSocket is down, and is
 * tried again until the station has taken it. What is shown is only what is known: sent, confirmed by
 * the machine, or NOT CONFIRMED and what to do then. There is no dialog in front of it.
 */

import { devicePath, get, post, Refused } from './api.js';
import { actionButton, outcome } from './actions.js';
import { h, keyed, show, text } from './dom.js';
import { shape } from './parts.js';

const HOLD = 400; // On touch a brush must not stop the shop; a held thumb must.
const TWICE = 600;
const TRIES = 40;
const PATIENCE = 2500;

const rest = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The stops of a page: `{press(names), pressAll(), button(...), element, update(state)}`. */
export function createStops({ store, reading }) {
  const pressed = new Map();
  const note = (name, phase, detail = '') => {
    pressed.set(name, { phase, detail });
    store.redraw();
  };

  async function stopOne(name) {
    note(name, 'sending');
    const since = performance.now();
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      try {
        const device = await post(devicePath(name, 'estop'), {}, { timeout: 2000, keepalive: true });
        reading.take('device', device);
        await confirm(name, device, since);
        return;
      } catch (error) {
        note(name, 'unsent', error.message);
        if (error instanceof Refused && error.status < 500) return;
        await rest(300);
      }
    }
  }

  async function confirm(name, answer, since) {
    let device = answer;
    while (!device?.estop?.confirmed) {
      const patient = performance.now() - since < PATIENCE;
      note(name, device?.estop?.sent === false ? 'unsent' : patient ? 'sent' : 'unconfirmed', device?.error_message ?? '');
      if (performance.now() - since > 8 * PATIENCE) return;
      await rest(200);
      device = await get(devicePath(name), { timeout: 2000 }).catch(() => device);
      reading.take('device', device);
    }
    note(name, 'confirmed');
  }

  const press = (names) => names.forEach(stopOne);

  async function pressAll() {
    if (store.state.devices.size === 0) await reading.devices();
    press([...store.state.devices.keys()]);
  }

  let escaped = -Infinity;
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.repeat) return;
    const twice = event.timeStamp - escaped < TWICE;
    escaped = twice ? -Infinity : event.timeStamp;
    if (twice) pressAll();
  });

  const list = report({ store, reading, pressed });
  return { press, pressAll, ...list };
}

/** What became of each stop, above everything else until it is cleared. */
function report({ store, reading, pressed }) {
  const items = h('ul');
  const element = h('section', { id: 'stops', class: 'stops', role: 'alert', 'aria-label': 'Emergency stop' }, items);
  const render = keyed(items);

  const make = (name) => {
    const mark = shape('bad');
    const words = h('span', { class: 'stop-words' });
    const place = outcome();
    const clear = actionButton({
      label: 'Clear stop',
      name: 'clear-estop',
      place,
      ask: { question: () => `Is ${name} safe to move again?`, yes: 'Clear stop', no: 'Keep stopped' },
      act: async () => {
        reading.take('device', await post(devicePath(name, 'estop'), { clear: true }));
        pressed.delete(name);
        store.redraw();
      },
    });
    const dismiss = h('button', { type: 'button', class: 'quiet', on: { click: () => pressed.delete(name) && store.redraw() } }, 'Dismiss');
    const line = h('li', { data: { device: name } }, mark.element, h('strong', {}, name), words, clear.element, dismiss, place.element);
    return {
      element: line,
      update() {
        const { phase, detail } = phaseOf(name, store.state.devices.get(name), pressed.get(name));
        line.dataset.phase = phase;
        line.dataset.meaning = phase === 'confirmed' ? 'good' : phase === 'sending' || phase === 'sent' ? 'attention' : 'bad';
        mark.update(line.dataset.meaning);
        text(words, WORDS[phase](detail));
        const latched = Boolean(store.state.devices.get(name)?.estop);
        clear.show(latched);
        show(dismiss, !latched);
      },
    };
  };

  return {
    element,
    update(state) {
      const latched = [...state.devices.values()].filter((device) => device.estop).map((device) => device.name);
      const names = [...new Set([...latched, ...pressed.keys()])].sort();
      show(element, names.length > 0);
      render(names, (name) => name, make);
    },
  };
}

/** What the station says of the stop counts for more than what this page remembers. */
export function phaseOf(name, device, own) {
  if (device?.estop?.confirmed) return { phase: 'confirmed', detail: device.estop.latency_seconds };
  if (own) return { ...own, phase: own.phase === 'unsent' && device?.status === 'disconnected' ? 'nolink' : own.phase };
  return { phase: device?.estop?.sent ? 'unconfirmed' : 'unsent', detail: device?.error_message ?? '' };
}

const because = (detail) => (detail ? ` (${detail})` : '');
export const WORDS = {
  sending: () => 'sending the stop…',
  sent: () => 'stop sent; waiting for the machine to confirm it…',
  confirmed: (seconds) =>
    typeof seconds === 'number' ? `stopped; the machine confirmed it after ${Math.max(1, Math.round(seconds * 1000))} ms.` : 'stopped; the machine confirmed it.',
  unconfirmed: (detail) => `NOT CONFIRMED${because(detail)}. Cut the power at the machine now, then look at it.`,
  unsent: (detail) => `NOT SENT${because(detail)}. Cut the power at the machine now.`,
  nolink: () => 'there is no link, so nothing could be sent. If it moves, cut its power.',
};

/**
 * A stop button: click with a mouse or a key, hold for 400 ms on touch. `fire()` presses it.
 */
export function stopButton({ label, describe, fire, id }) {
  const caption = h('span', { class: 'stop-label' }, label);
  const hint = h('span', { class: 'stop-hint' }, 'hold to stop');
  const button = h('button', { type: 'button', class: 'stop', id, 'aria-label': describe, data: { action: 'estop' } }, caption, hint);
  armStop(button, fire);
  return button;
}

/** The behaviour alone, for the button that stands in the page from the start. */
export function armStop(button, fire) {
  let timer = null;
  const release = () => {
    if (timer === null) return;
    clearTimeout(timer);
    timer = null;
    button.classList.remove('holding');
    button.classList.add('hinting');
    setTimeout(() => button.classList.remove('hinting'), 1500);
  };
  button.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch') return;
    button.setPointerCapture(event.pointerId);
    button.classList.add('holding');
    timer = setTimeout(() => {
      timer = null;
      button.classList.remove('holding');
      navigator.vibrate?.(40);
      fire();
    }, HOLD);
  });
  for (const end of ['pointerup', 'pointercancel']) button.addEventListener(end, release);
  button.addEventListener('contextmenu', (event) => event.preventDefault());
  button.addEventListener('click', (event) => event.pointerType !== 'touch' && fire());
}
