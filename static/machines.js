/** Machines: the card of one that works, the line of one that does not, and the view of them all. */

import { machineConsole } from './console.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { stopButton } from './estop.js';
import { jogPad } from './jog.js';
import { controlsPart } from './machinecontrols.js';
import { detailsPart, positionPart, tellsPlace, temperaturePart } from './machinefigures.js';
import { workPart } from './machinework.js';
import { lyingPart } from './lying.js';
import { empty, stateChip, why } from './parts.js';
import { queueModePart } from './queuemode.js';
import { lyingOn } from './queuewords.js';
import { DEVICE, isActive, lookUp } from './states.js';

/** The job on a machine, if any. */
export function jobOn(state, device) {
  const named = state.jobs.get(device.current_job_id);
  return named ?? [...state.jobs.values()].find((job) => isActive(job) && job.device === device.name) ?? null;
}

/** One machine. With `full`, everything that is known of it and a console. */
export function machineCard(app, name, { full = false } = {}) {
  const chip = stateChip();
  const reason = why();
  const sub = h('span', { class: 'note' });
  const work = workPart(app);
  const controls = controlsPart(app, name);
  const stop = stopButton({ label: 'STOP', describe: `Emergency stop of ${name}`, fire: () => app.stops.press([name]) });
  const trouble = h('p', { class: 'trouble' });
  const lying = lyingPart();
  const axes = positionPart();
  const warmth = temperaturePart();
  const details = full ? detailsPart() : null;
  const pad = full ? jogPad(app, name) : null;
  const queue = full ? queueModePart(app, name) : null;
  const terminal = full ? machineConsole(app, name) : null;
  const header = h('header', {}, chip.element, h('h3', {}, h('a', { href: '#/machines' }, name)), sub, reason.button);
  const resting = h('div', { class: 'resting' }, axes.element, controls.element);
  const element = h('article', { class: full ? 'machine full' : 'machine', data: { device: name }, 'aria-label': `Machine ${name}` }, header, reason.cause, trouble, lying.element, work.element, resting, controls.refusal, warmth.element, queue?.element ?? '', details?.element ?? '', pad?.element ?? '', terminal?.element ?? '');

  return {
    element,
    dispose() {
      work.dispose();
      terminal?.dispose();
    },
    update(device) {
      const job = jobOn(app.store.state, device);
      const row = lookUp(DEVICE, device.status);
      chip.update(row, device.status);
      reason.update(row.why);
      text(sub, [device.driver, device.link === 'simulated' ? 'simulated' : device.port].filter(Boolean).join(' · '));
      text(trouble, device.error_message ?? '');
      show(trouble, Boolean(device.error_message));
      lying.update(app.store.state, device, Boolean(job));
      attribute(element, 'data-state', device.status);
      attribute(element, 'data-meaning', row.meaning);
      element.classList.toggle('working', Boolean(job));
      work.update(job, device);
      // The stop stands beside pause and cancel while there is work, else at the machine's name.
      const home = job ? work.foot : header;
      if (stop.parentElement !== home) home.append(stop);
      show(stop, full || Boolean(job));
      axes.update(device);
      if (job) show(axes.element, false);
      const steered = controls.update(device, full);
      show(resting, steered || (!job && tellsPlace(device)));
      warmth.update(device.temperatures);
      details?.update(device);
      queue?.update(app.store.state);
      const readonly = app.store.state.station.role === 'readonly';
      pad?.update(device, readonly);
      terminal?.update(device, readonly);
    },
  };
}

const RANK = ['alarm', 'error', 'paused', 'busy', 'connecting', 'idle', 'disconnected'];

/** The list of machines; those that need a person come first, then those that work. */
export function machineList(app, options) {
  const list = h('div', { class: 'machines' });
  const nothing = empty('No machines yet.', 'Plug one in and name it in the configuration, or start the station with ', h('code', {}, '--simulate grbl'), ' to try one that needs no hardware.');
  const element = h('div', {}, list, nothing);
  const render = keyed(list);
  const rank = (device) => (device.status === 'idle' && lyingOn(app.store.state, device) !== null ? 3.5 : RANK.indexOf(device.status));
  return {
    element,
    dispose: () => render([], () => '', () => null),
    update(state) {
      const devices = [...state.devices.values()];
      // On its own page a machine keeps its place, so that a console does not jump while typing.
      const order = options?.full ? () => 0 : (one, other) => rank(one) - rank(other);
      devices.sort((one, other) => order(one, other) || one.name.localeCompare(other.name));
      show(nothing, state.loaded && devices.length === 0);
      render(devices, (device) => device.name, (device) => machineCard(app, device.name, options));
    },
  };
}

/** The view of all machines. */
export function machinesView(app) {
  const list = machineList(app, { full: true });
  const element = h('div', { class: 'view' }, h('h1', {}, 'Machines'), list.element);
  return { title: 'Machines', element, update: list.update, dispose: list.dispose };
}
