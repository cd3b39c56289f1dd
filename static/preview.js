/** The picture of a job with its legend: fetches its toolpath once and keeps the last few for other views. */

import { get, jobPath } from './api.js';
import { atFileStop } from './calls.js';
import { h, show, text } from './dom.js';
import { legend } from './legend.js';
import { isOutside, marksOf } from './pathplace.js';
import { isActive, isOver } from './states.js';
import { Toolpath } from './toolpath.js';

const KEPT = 8;
const paths = new Map();

function pathOf(id) {
  if (!paths.has(id)) {
    const reading = get(jobPath(id, 'toolpath'));
    paths.set(id, reading);
    reading.catch(() => paths.delete(id)); // A failure is not kept: the next look tries again.
    if (paths.size > KEPT) paths.delete(paths.keys().next().value);
  }
  return paths.get(id);
}

/** A canvas that follows `update(job, device)`. */
export function preview() {
  const canvas = h('canvas', { class: 'toolpath', role: 'img' });
  const note = h('p', { class: 'toolpath-note' }, 'Reading the toolpath…');
  const key = legend();
  const element = h('div', { class: 'picture' }, h('div', { class: 'paper' }, canvas, note), key.element);
  const drawing = new Toolpath(canvas);
  let current = null;
  let envelope = null;
  let path = null;
  let marked = '';
  let leaves = false;
  let active = false;

  async function load(id) {
    current = id;
    path = null;
    marked = '';
    show(note, true);
    text(note, 'Reading the toolpath…');
    try {
      const read = await pathOf(id);
      if (current !== id) return;
      path = read;
      place();
      show(note, path.draw.length < 2);
      text(note, 'This file has no motion to draw.');
    } catch (error) {
      if (current === id) text(note, `No toolpath to show: ${error.message}.`);
    }
  }

  function place() {
    leaves = Boolean(path && envelope) && path.draw.some((_, i) => i > 0 && isOutside(path, i, envelope));
    drawing.setPath(path, envelope);
    marked = '';
  }

  /** Marks are worked out anew only when what they are made of has changed. */
  function mark(job) {
    const { stops, layers } = job.analysis ?? {};
    const resume = job.state === 'INTERRUPTED' && job.plan?.token ? job.plan : null;
    const now = JSON.stringify([current, path !== null, leaves, stops, layers, resume?.token, resume?.from_line]);
    if (now === marked) return;
    marked = now;
    const marks = marksOf(path, { stops, layers, resume });
    drawing.setMarks(marks);
    key.update({ path, envelope, leaves, marks });
  }

  return {
    element,
    dispose: () => drawing.dispose(),
    update(job, device) {
      const reach = device?.envelope ?? null;
      const changed = reach?.x !== envelope?.x || reach?.y !== envelope?.y;
      envelope = reach;
      if (job.id !== current) load(job.id);
      else if (changed) place();
      const lines = job.state === 'COMPLETED' ? Infinity : job.lines_acknowledged ?? 0;
      drawing.setProgress(lines === Infinity ? (path?.lines.at(-1) ?? 0) : lines, isActive(job) ? device?.position : null, atFileStop(job), isActive(job) && !active);
      active = isActive(job);
      mark(job);
      const done = isOver(job) || isActive(job) ? `, ${Math.round(job.progress_percentage ?? 0)} per cent drawn` : '';
      canvas.setAttribute('aria-label', `Toolpath of ${job.name}${done}${leaves ? ', part of it out of the machine’s reach' : ''}`);
    },
  };
}
