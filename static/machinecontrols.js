/** What a person can do with a machine itself, as the state allows. */

import { actionButton, outcome } from './actions.js';
import { devicePath, post } from './api.js';
import { h, show } from './dom.js';
import { DEVICE, lookUp } from './states.js';

/** Connect, disconnect, home and unlock, as the state and the machine allow; in short, only what mends the state. */
export function controlsPart({ reading }, name) {
  const place = outcome();
  let busy = false;
  const act = (action) => async () => reading.take('device', await post(devicePath(name, action)));
  const buttons = {
    connect: actionButton({ label: 'Connect', name: 'connect', look: 'leading', place, act: act('connect') }),
    accept: actionButton({ label: 'Take this machine', name: 'accept', place, act: async () => reading.take('device', await post(devicePath(name, 'connect'), { accept: true })), ask: { question: () => `Is the machine on the port of ${name} now the one you mean?`, yes: 'Take it', no: 'Not yet' } }),
    home: actionButton({ label: 'Home', name: 'home', place, act: act('home'), ask: { question: () => `Homing moves ${name}. Is its way clear?`, yes: 'Home now', no: 'Not yet' } }),
    unlock: actionButton({ label: 'Unlock', name: 'unlock', place, act: act('unlock'), ask: { question: () => `Unlock ${name} without homing? Its position may be wrong.`, yes: 'Unlock', no: 'Not yet' } }),
    disconnect: actionButton({ label: 'Disconnect', name: 'disconnect', place, act: act('disconnect'), ask: { question: () => `Disconnect ${name}?${busy ? ' Its job will be interrupted.' : ''}`, yes: 'Disconnect', no: 'Keep' } }),
  };
  for (const { button } of Object.values(buttons)) button.setAttribute('aria-label', `${button.textContent} ${name}`);
  const element = h('div', { class: 'actions' }, Object.values(buttons).map((button) => button.element));
  return {
    element,
    refusal: place.element,
    update(device, full) {
      const { meaning } = lookUp(DEVICE, device.status);
      const actions = actionsOf(device);
      busy = Boolean(device.current_job_id);
      const mends = device.status === 'disconnected' || meaning === 'bad';
      const foreign = isForeign(device) ? ['accept'] : [];
      const offered = [...foreign, ...(full ? actions : actions.filter((action) => mends && action !== 'disconnect'))];
      for (const [action, button] of Object.entries(buttons)) button.show(offered.includes(action));
      show(element, offered.length > 0);
      return offered.length > 0;
    },
  };
}

/** Actions that not every machine can be asked for. */
const OWN = ['home', 'unlock'];

/** What can be asked of a machine in its state; what it cannot do, or would refuse, is not offered. */
export function actionsOf(device) {
  // A stop is cleared first; and an alarm that cannot be unlocked ends by a reset alone.
  const refuses = Boolean(device.estop) || (device.status === 'alarm' && !can(device, 'unlock'));
  return lookUp(DEVICE, device.status).actions.filter((action) => !OWN.includes(action) || (can(device, action) && !refuses));
}

/** True if a machine can be asked for this: `home`, `unlock`, `jog`, `pen`. */
export const can = (device, what) => (device.capabilities ?? []).includes(what);

/** True if another machine than the one that is meant was found on its port. */
const isForeign = (device) => /^another machine is on /.test(device.error_message ?? '');
