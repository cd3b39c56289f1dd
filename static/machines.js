/** Machines: the card of one that works, the line of one that does not, and the view of them all. */

import { actionButton, outcome } from './actions.js';
import { devicePath, post } from './api.js';
import { machineConsole } from './console.js';
import { attribute, h, keyed, show, text } from './dom.js';
import { stopButton } from './estop.js';
import { clock, coordinate, count, moment, percent, UNKNOWN } from './format.js';
import { jobActions } from './jobactions.js';
import { bar, empty, figure, stateChip, why } from './parts.js';
import { preview } from './preview.js';
import { DEVICE, isActive, JOB, lookUp } from './states.js';

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
  const axes = positionPart();
  const details = full ? detailsPart() : null;
  const terminal = full ? machineConsole(app, name) : null;
  const header = h('header', {}, chip.element, h('h3', {}, h('a', { href: '#/machines' }, name)), sub, reason.button);
  const resting = h('div', { class: 'resting' }, axes.element, controls.element);
  const element = h('article', { class: full ? 'machine full' : 'machine', data: { device: name }, 'aria-label': `Machine ${name}` }, header, reason.cause, trouble, work.element, resting, controls.refusal, details?.element ?? null, terminal?.element ?? null);

  return {
    element,
    dispose: () => work.dispose(),
    update(device) {
      const job = jobOn(app.store.state, device);
      const row = lookUp(DEVICE, device.status);
      chip.update(row, device.status);
      reason.update(row.why);
      text(sub, [device.driver, device.link === 'simulated' ? 'simulated' : device.port].filter(Boolean).join(' · '));
      text(trouble, device.error_message ?? '');
      show(trouble, Boolean(device.error_message));
      attribute(element, 'data-state', device.status);
      attribute(element, 'data-meaning', row.meaning);
      element.classList.toggle('working', Boolean(job));
      work.update(job, device);
      // The stop stands beside pause and cancel while there is work, else at the machine's name.
      const home = job ? work.foot : header;
      if (stop.parentElement !== home) home.append(stop);
      show(stop, full || Boolean(job));
      axes.update(device.position);
      show(axes.element, !job && Boolean(device.position));
      const steered = controls.update(device, full);
      show(resting, steered || (!job && Boolean(device.position)));
      details?.update(device);
    },
  };
}

/** Picture, progress and controls of the job on a machine. */
function workPart(app) {
  const title = h('a', { class: 'job-name' });
  const chip = stateChip();
  const done = h('span', { class: 'large figures' });
  const left = h('span', { class: 'large figures' });
  const leftNote = h('span', { class: 'note' }, ' left');
  const progress = bar('Progress');
  const lines = figure('Lines');
  const elapsed = figure('Running for');
  const axes = positionPart();
  const readout = h('div', { class: 'readout' });
  const foot = h('div', { class: 'foot' });
  const element = h('div', { class: 'work' }, readout);
  let shown = null;

  function attach(job) {
    shown?.picture.dispose();
    shown?.picture.element.remove();
    shown?.actions.element.remove();
    shown = { id: job.id, picture: preview(), actions: jobActions(app, job, { only: ['pause', 'resume', 'cancel', 'retry'] }) };
    readout.replaceChildren(
      h('p', { class: 'job-line' }, title, chip.element),
      h('p', { class: 'progress-line' }, done, h('span', {}, left, leftNote)),
      progress.element,
      axes.element,
      h('dl', { class: 'pair' }, lines.element, elapsed.element),
      shown.actions.refusal,
      foot,
    );
    foot.prepend(shown.actions.element);
    element.prepend(shown.picture.element);
  }

  return {
    element,
    foot,
    dispose: () => shown?.picture.dispose(),
    update(job, device) {
      show(element, Boolean(job));
      if (!job) return;
      if (shown?.id !== job.id) attach(job);
      const row = lookUp(JOB, job.state);
      text(title, job.name);
      attribute(title, 'href', `#/jobs/${job.id}`);
      chip.update(row, job.state);
      show(chip.element, job.state !== 'RUNNING'); // The machine's own "busy" says that already.
      text(done, percent(job.progress_percentage, 1));
      const eta = remaining(job);
      text(left, eta === null ? '' : clock(eta));
      text(leftNote, eta === null ? 'time left unknown' : ' left');
      progress.update(job.progress_percentage, row.meaning);
      lines.update(`${count(job.lines_acknowledged)} of ${count(job.lines_total)}`);
      elapsed.update(clock(sinceStart(job)));
      axes.update(device.position);
      shown.picture.update(job, device);
      shown.actions.update(job);
    },
  };
}

/** Seconds left: what the station said, less what has passed since, while it works. */
export function remaining(job) {
  if (typeof job.eta_seconds !== 'number' || !isActive(job)) return null;
  const passed = job.state === 'RUNNING' && job.heard ? (performance.now() - job.heard) / 1000 : 0;
  return Math.max(0, job.eta_seconds - Math.min(passed, 3));
}

function sinceStart(job) {
  if (typeof job.total_time_seconds === 'number') return job.total_time_seconds;
  const from = Date.parse(job.started_at ?? '');
  return Number.isNaN(from) ? null : (Date.now() - from) / 1000;
}

function positionPart() {
  const axes = ['x', 'y', 'z'].map((axis) => [axis, figure(axis.toUpperCase(), 'mm')]);
  const element = h('dl', { class: 'axes', 'aria-label': 'Position' }, axes.map(([, part]) => part.element));
  return { element, update: (position) => axes.forEach(([axis, part]) => part.update(coordinate(position?.[axis]))) };
}

/** Connect, disconnect, home and unlock, as the state allows; in short, only what mends the state. */
function controlsPart({ reading }, name) {
  const place = outcome();
  let busy = false;
  const act = (action) => async () => reading.take('device', await post(devicePath(name, action)));
  const buttons = {
    connect: actionButton({ label: 'Connect', name: 'connect', look: 'leading', place, act: act('connect') }),
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
      const { actions, meaning } = lookUp(DEVICE, device.status);
      busy = Boolean(device.current_job_id);
      const mends = device.status === 'disconnected' || meaning === 'bad';
      const offered = full ? actions : actions.filter((action) => mends && action !== 'disconnect');
      for (const [action, button] of Object.entries(buttons)) button.show(offered.includes(action));
      show(element, offered.length > 0);
      return offered.length > 0;
    },
  };
}

/** What is known of a machine, as pairs. */
function detailsPart() {
  const rows = [
    ['Driver', (device) => device.driver],
    ['Port', (device) => device.port],
    ['Link', (device) => device.link],
    ['Firmware', (device) => device.firmware_version],
    ['Identity', (device) => device.identity],
    ['Reach', (device) => reach(device.envelope)],
    ['Connected since', (device) => device.connected_at && moment(device.connected_at)],
    ['Last heard', (device) => device.last_heard && moment(device.last_heard)],
    ['Errors', (device) => count(device.error_count)],
  ];
  const cells = rows.map(([label, value]) => ({ value, cell: h('dd', { class: 'figures' }), label }));
  const element = h('dl', { class: 'details' }, cells.map(({ label, cell }) => h('div', {}, h('dt', {}, label), cell)));
  return { element, update: (device) => cells.forEach(({ cell, value }) => text(cell, value(device) || UNKNOWN)) };
}

function reach(envelope) {
  if (!envelope) return 'not set: no bounds are checked';
  return `${[envelope.x, envelope.y, envelope.z].filter((axis) => typeof axis === 'number').join(' × ')} mm`;
}

/** The list of machines; those that work or are in trouble come first. */
export function machineList(app, options) {
  const list = h('div', { class: 'machines' });
  const nothing = empty('No machines yet.', 'Plug one in and name it in the configuration, or start the station with ', h('code', {}, '--simulate grbl'), ' to try one that needs no hardware.');
  const element = h('div', {}, list, nothing);
  const render = keyed(list);
  const rank = (device) => ['busy', 'paused', 'alarm', 'error', 'connecting', 'idle', 'disconnected'].indexOf(device.status);
  return {
    element,
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
  return { title: 'Machines', element, update: list.update };
}
