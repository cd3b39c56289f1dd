/** What is measured and known of a machine, as figures. */

import { h, keyed, show, text } from './dom.js';
import { can } from './machinecontrols.js';
import { coordinate, count, moment, UNKNOWN } from './format.js';
import { figure } from './parts.js';

/** True if a machine tells where its tool is, or may in a moment; one that only takes lines never does. */
export const tellsPlace = (device) => Boolean(device.position) || (can(device, 'jog') && !['disconnected', 'connecting', 'error'].includes(device.status));

/** Where its tool is; of a pen, whether it is up. A machine that does not tell has no such figures. */
export function positionPart() {
  const axes = ['x', 'y', 'z'].map((axis) => [axis, figure(axis.toUpperCase(), 'mm')]);
  const pen = figure('Pen');
  const element = h('dl', { class: 'axes', 'aria-label': 'Position' }, axes.map(([, part]) => part.element), pen.element);
  return {
    element,
    update(device) {
      const { position, pen_up: up } = device;
      show(element, tellsPlace(device));
      for (const [axis, part] of axes) part.update(coordinate(position?.[axis]));
      const draws = can(device, 'pen');
      show(axes[2][1].element, !draws);
      show(pen.element, draws);
      pen.update(typeof up !== 'boolean' ? UNKNOWN : up ? 'up' : 'down');
    },
  };
}

/** How warm its parts are, and what they are to be. */
export function temperaturePart() {
  const element = h('dl', { class: 'temperatures', 'aria-label': 'Temperatures' });
  const render = keyed(element);
  return {
    element,
    update(temperatures) {
      const parts = Array.isArray(temperatures) ? temperatures : [];
      show(element, parts.length > 0);
      render(parts, ({ part }) => part, temperatureFigure);
    },
  };
}

/** `200.4 °C of 210`, or `21.0 °C, off`. */
export function temperatureWords({ celsius, target }) {
  const now = typeof celsius === 'number' ? celsius.toFixed(1) : UNKNOWN;
  return target > 0 ? `${now} °C of ${Math.round(target)}` : `${now} °C, off`;
}

function temperatureFigure({ part }) {
  const value = h('dd', { class: 'figures' });
  const element = h('div', { class: 'figure' }, h('dt', {}, part), value);
  return { element, update: (now) => text(value, temperatureWords(now)) };
}

/** What is known of a machine, as pairs. */
export function detailsPart() {
  const rows = [
    ['Driver', (device) => device.driver],
    ['Port', (device) => device.port],
    ['Link', (device) => device.link],
    ['Firmware', (device) => device.firmware_version],
    ['Identity', (device) => device.identity],
    ['Reach', (device) => reach(device)],
    ['Connected since', (device) => device.connected_at && moment(device.connected_at)],
    ['Last heard', (device) => device.last_heard && moment(device.last_heard)],
    ['Errors', (device) => count(device.error_count)],
  ];
  const cells = rows.map(([label, value]) => ({ value, cell: h('dd', { class: 'figures' }), label }));
  const element = h('dl', { class: 'details' }, cells.map(({ label, cell }) => h('div', {}, h('dt', {}, label), cell)));
  return { element, update: (device) => cells.forEach(({ cell, value }) => text(cell, value(device) || UNKNOWN)) };
}

function reach(device) {
  const { envelope } = device;
  if (!envelope) return 'not set: no bounds are checked';
  return `${[envelope.x, envelope.y, can(device, 'pen') ? null : envelope.z].filter((axis) => typeof axis === 'number').join(' × ')} mm`;
}
