/** CPU, memory and disk over the last hour as small drawings with their present value. */

import { attribute, h, show, svg, text } from './dom.js';
import { bytes, share, span } from './format.js';
import { empty, panel } from './parts.js';

const [WIDE, TALL] = [240, 40];

/** The area under a line; gaps where nothing was measured stay gaps. `values` are from 0 to 1. */
export function areaPath(values, top) {
  const step = WIDE / Math.max(1, values.length - 1);
  const y = (value) => (TALL - (Math.min(value, top) / top) * (TALL - 2)).toFixed(1);
  const line = [];
  const area = [];
  let run = [];
  const close = () => {
    if (run.length > 0) {
      const points = run.map(([x, value]) => `${x.toFixed(1)} ${y(value)}`);
      line.push(`M${points.join('L')}`);
      area.push(`M${run[0][0].toFixed(1)} ${TALL}L${points.join('L')}L${run.at(-1)[0].toFixed(1)} ${TALL}Z`);
    }
    run = [];
  };
  values.forEach((value, index) => (typeof value === 'number' ? run.push([index * step, value]) : close()));
  close();
  return { line: line.join(''), area: area.join('') };
}

/** Without the time before the first measurement, down to a sixth: a fresh station shows what it has. */
const begun = (values) => values.slice(Math.max(0, Math.min(values.findIndex((value) => typeof value === 'number'), Math.floor((values.length * 5) / 6))));

/** The scale's top: a quiet station must not look busy, nor a flat line hide at the bottom. */
const topOf = (values) => [0.1, 0.25, 0.5, 1].find((top) => Math.max(0, ...values) <= top) ?? 1;

function tile(label) {
  const value = h('span', { class: 'large figures' });
  const note = h('span', { class: 'note figures' });
  const area = svg('path', { class: 'area' });
  const line = svg('path', { class: 'line', 'vector-effect': 'non-scaling-stroke' });
  const drawing = svg('svg', { class: 'spark', viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: 'none', role: 'img' }, area, line);
  const scale = h('span', { class: 'note figures spark-top' });
  const element = h('div', { class: 'tile', data: { metric: label.toLowerCase() } }, h('h3', {}, label), value, note, drawing, scale);
  return {
    element,
    update(present, past, words, interval) {
      text(value, share(present));
      text(note, words);
      const values = begun(past ?? []);
      const seconds = values.length * interval;
      const numbers = values.filter((number) => typeof number === 'number');
      const top = topOf(numbers);
      const drawn = areaPath(values, top);
      attribute(area, 'd', drawn.area);
      attribute(line, 'd', drawn.line);
      text(scale, numbers.length > 1 ? `${span(seconds)} · 0 to ${share(top)}` : 'no history yet');
      attribute(drawing, 'aria-label', numbers.length > 1 ? `${label} over ${span(seconds)}: now ${share(present)}, lowest ${share(Math.min(...numbers))}, highest ${share(Math.max(...numbers))}` : `${label}: no history yet`);
    },
  };
}

export function historyPanel() {
  const [cpu, memory, disk] = ['CPU', 'Memory', 'Disk'].map(tile);
  const nothing = empty('No history yet.', 'The station measures itself every few seconds; the last hour appears here.');
  const tiles = h('div', { class: 'tiles' }, cpu.element, memory.element, disk.element);
  const part = panel('This host', { id: 'history-panel' }, tiles, nothing);
  return {
    element: part.element,
    update({ station, history, loaded }) {
      const past = history ?? {};
      const interval = past.interval_seconds ?? 0;
      const own = past.rss_bytes?.findLast((value) => typeof value === 'number');
      const free = past.disk_usage?.findLast((value) => typeof value === 'number');
      show(nothing, loaded && !history && station.cpu_usage === undefined);
      cpu.update(station.cpu_usage, past.cpu_usage, 'all cores', interval);
      memory.update(station.memory_usage, past.memory_usage, own ? `station ${bytes(own)}` : 'in use', interval);
      disk.update(free, past.disk_usage, 'of the workspace', interval);
      part.note(station.uptime === undefined ? '' : `up ${span(station.uptime)}${station.version ? ` · ${station.version}` : ''}`);
    },
  };
}
