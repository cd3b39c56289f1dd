/** What is measured and known of a machine, as figures. */

import { h, keyed, show, text } from './dom.js';
import { coordinate, count, moment, UNKNOWN } from './format.js';
import { figure } from './parts.js';

/** Where its tool is. */
export function positionPart() {
  const axes = ['x', 'y', 'z'].map((axis) => [axis, figure(axis.toUpperCase(), 'mm')]);
  const element = h('dl', { class: 'axes', 'aria-label': 'Position' }, axes.map(([, part]) => part.element));
  return { element, update: (position) => axes.forEach(([axis, part]) => part.update(coordinate(position?.[axis]))) };
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
