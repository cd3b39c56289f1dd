/** The picture of a job: fetches its toolpath once and keeps the last few for other views. */

import { get, jobPath } from './api.js';
import { h, show, text } from './dom.js';
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
  const element = h('div', { class: 'paper' }, canvas, note);
  const drawing = new Toolpath(canvas);
  let current = null;
  let envelope = null;
  let path = null;

  async function load(id) {
    current = id;
    path = null;
    show(note, true);
    text(note, 'Reading the toolpath…');
    try {
      const read = await pathOf(id);
      if (current !== id) return;
      path = read;
      drawing.setPath(path, envelope);
      show(note, path.draw.length < 2);
      text(note, 'This file has no motion to draw.');
    } catch (error) {
      if (current === id) text(note, `No toolpath to show: ${error.message}.`);
    }
  }

  return {
    element,
    dispose: () => drawing.dispose(),
    update(job, device) {
      const reach = device?.envelope ?? null;
      const changed = reach?.x !== envelope?.x || reach?.y !== envelope?.y;
      envelope = reach;
      if (job.id !== current) load(job.id);
      else if (changed) drawing.setPath(path, envelope);
      const lines = job.state === 'COMPLETED' ? Infinity : job.lines_acknowledged ?? 0;
      drawing.setProgress(lines === Infinity ? (path?.lines.at(-1) ?? 0) : lines, isActive(job) ? device?.position : null);
      const done = isOver(job) || isActive(job) ? `, ${Math.round(job.progress_percentage ?? 0)} per cent drawn` : '';
      canvas.setAttribute('aria-label', `Toolpath of ${job.name}${done}`);
    },
  };
}
