/**
 * A toolpath on a canvas. The whole path is painted once into a layer; what is drawn so far lives in
 * a second layer that is only ever extended, so a frame costs two image copies however long the
 * path is. A machine acknowledges lines before it moves by them, so what is shown as drawn ends at
 * its tool wherever the tool can be found on the path; it never runs ahead.
 */

import { dashes } from './dashes.js';
import { paintEnvelope, paintMarks, paintTool, stroke } from './pathpaint.js';
import { isOutside, reached, toolPlace } from './pathplace.js';

const MARGIN = 14;
const CATCH_UP = 5; // Per second: how quickly the picture follows an acknowledgement.
const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Toolpath {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.whole = document.createElement('canvas');
    this.done = document.createElement('canvas');
    this.path = null;
    this.envelope = null;
    this.at = null; // From millimetres to pixels, once the canvas has a size.
    this.lines = 0;
    this.target = 0; // Both are places on the path: a segment with a fraction.
    this.shown = 0;
    this.painted = 0;
    this.marks = [];
    this.head = null;
    this.frame = null;
    this.rebuild = this.rebuild.bind(this);
    this.observer = new ResizeObserver(this.rebuild);
    this.observer.observe(canvas);
    addEventListener('stationd:themed', this.rebuild);
  }

  dispose() {
    this.observer.disconnect();
    removeEventListener('stationd:themed', this.rebuild);
    if (this.frame) cancelAnimationFrame(this.frame);
  }

  /** A new path; what is drawn of it appears at once. */
  setPath(path, envelope) {
    this.path = path;
    this.envelope = envelope ?? null;
    this.target = 0;
    this.locate();
    this.shown = this.target;
    this.rebuild();
  }

  /**
   * Lines acknowledged, and where the machine says its tool is; without a tool, or where the machine
   * `stands` after the last of them, all of them are drawn. A job that begins `anew` may go on from
   * an earlier place than it had come to.
   */
  setProgress(lines, position, stands = false, anew = false) {
    const back = anew || lines < this.lines;
    this.lines = lines;
    this.wanted = position ?? null;
    this.stands = stands;
    this.head = this.head && this.wanted && !still.matches ? this.head : this.wanted && { ...this.wanted };
    if (back) this.target = 0;
    this.locate();
    if (back || still.matches) this.shown = this.target;
    if (back) this.rebuild();
    else this.schedule();
  }

  /** Places on the path to be pointed out, as `marksOf` finds them. */
  setMarks(marks) {
    this.marks = marks;
    this.schedule();
  }

  /** How much of the path is to be shown as drawn. */
  locate() {
    const { path, lines, wanted, stands, target } = this;
    if (path) this.target = wanted && !stands ? toolPlace(path, lines, wanted, target) : reached(path, lines);
  }

  /** Everything anew: after a change of size, theme, path, or a step back. */
  rebuild() {
    const box = this.canvas.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return;
    const ratio = devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.whole, this.done]) {
      canvas.width = Math.round(box.width * ratio);
      canvas.height = Math.round(box.height * ratio);
    }
    this.ratio = ratio;
    this.readColours();
    this.fit(box.width, box.height);
    this.painted = 0;
    this.paintWhole();
    this.schedule();
  }

  readColours() {
    const style = getComputedStyle(this.canvas);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.colours = { todo: colour('--path-todo'), travel: colour('--path-travel'), done: colour('--active'), bad: colour('--bad'), frame: colour('--path-frame'), grid: colour('--path-grid'), head: colour('--ink'), paper: colour('--path-paper'), stop: colour('--attention') };
  }

  /** Scale and origin so that path and envelope fit, with y up as on the machine. */
  fit(width, height) {
    const { envelope, path } = this;
    const lows = [envelope && [0, 0], path?.min].filter(Boolean);
    const highs = [envelope && [envelope.x, envelope.y], path?.max].filter(Boolean);
    if (lows.length === 0) lows.push([0, 0]);
    if (highs.length === 0) highs.push([1, 1]);
    const least = (axis) => Math.min(...lows.map((corner) => corner[axis]));
    const most = (axis) => Math.max(...highs.map((corner) => corner[axis]));
    const [x0, y0, x1, y1] = [least(0), least(1), most(0), most(1)];
    const wide = Math.max(x1 - x0, 1e-6);
    const tall = Math.max(y1 - y0, 1e-6);
    const scale = Math.min((width - 2 * MARGIN) / wide, (height - 2 * MARGIN) / tall);
    const left = (width - wide * scale) / 2 - x0 * scale;
    const bottom = (height + tall * scale) / 2 + y0 * scale;
    this.scale = scale;
    this.at = (x, y) => [left + x * scale, bottom - y * scale];
  }

  layer(canvas) {
    const context = canvas.getContext('2d');
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.lineCap = 'round';
    context.lineJoin = 'round';
    return context;
  }

  paintWhole() {
    const context = this.layer(this.whole);
    if (this.envelope) paintEnvelope(context, this);
    if (!this.path) return;
    const todo = { work: new Path2D(), bad: new Path2D() };
    const isBad = (i) => isOutside(this.path, i, this.envelope);
    this.trace(1, this.path.draw.length, (i) => (isBad(i) ? todo.bad : this.path.draw[i] ? todo.work : null));
    stroke(context, this.travel(isBad), this.colours.travel, 0.75);
    stroke(context, todo.work, this.colours.todo, 1.25);
    stroke(context, todo.bad, this.colours.bad, 1.75);
  }

  /** The travel, but for what `isBad(i)` names, as dashes. */
  travel(isBad) {
    const { points, draw } = this.path;
    const fresh = dashes(this.whole.width / this.ratio, this.whole.height / this.ratio);
    const path = new Path2D();
    for (let i = 1; i < draw.length; i += 1) {
      if (draw[i] || isBad(i)) continue;
      const [from, to] = [this.at(points[2 * i - 2], points[2 * i - 1]), this.at(points[2 * i], points[2 * i + 1])];
      for (const [x0, y0, x1, y1] of fresh(...from, ...to)) {
        path.moveTo(x0, y0);
        path.lineTo(x1, y1);
      }
    }
    return path;
  }

  /** Adds the segments from `first` up to `end` to the path that `choose(i)` names. */
  trace(first, end, choose) {
    const { points } = this.path;
    let last = null;
    for (let i = first; i < end; i += 1) {
      const into = choose(i);
      if (into !== last) into?.moveTo(...this.at(points[2 * i - 2], points[2 * i - 1]));
      into?.lineTo(...this.at(points[2 * i], points[2 * i + 1]));
      last = into;
    }
  }

  schedule() {
    if (this.frame === null) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  draw(now) {
    this.frame = null;
    if (this.at === null) return;
    const seconds = Math.min(0.1, (now - (this.last ?? now)) / 1000);
    this.last = now;
    const moving = this.advance(seconds);
    const { context, canvas } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.whole, 0, 0);
    if (this.path) this.drawDone(context);
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    if (this.path) paintMarks(context, this);
    if (this.head) paintTool(context, this);
    if (moving) this.schedule();
    else this.last = null;
  }

  /** Moves what is shown towards what is known; true while there is a way to go. */
  advance(seconds) {
    const share = still.matches ? 1 : 1 - Math.exp(-CATCH_UP * seconds);
    const gap = this.target - this.shown;
    this.shown = Math.abs(gap) < 0.001 ? this.target : this.shown + gap * share;
    let moving = this.shown !== this.target;
    if (this.head && this.wanted) {
      for (const axis of ['x', 'y']) {
        const way = this.wanted[axis] - this.head[axis];
        this.head[axis] = Math.abs(way) * this.scale < 0.1 ? this.wanted[axis] : this.head[axis] + way * share;
        moving ||= this.head[axis] !== this.wanted[axis];
      }
    }
    return moving;
  }

  /** Extends the layer by whole segments; the one under way is drawn over it in part. */
  drawDone(context) {
    const at = this.shown;
    const whole = Math.floor(at);
    if (whole > this.painted) {
      this.strokeDone(this.layer(this.done), this.painted + 1, whole + 1);
      this.painted = whole;
    }
    context.drawImage(this.done, 0, 0);
    const next = whole + 1;
    if (next >= this.path.draw.length || !this.path.draw[next] || at === whole) return;
    const { points } = this.path;
    const [x0, y0, x1, y1] = points.slice(2 * whole, 2 * next + 2);
    const part = new Path2D();
    part.moveTo(...this.at(x0, y0));
    part.lineTo(...this.at(x0 + (x1 - x0) * (at - whole), y0 + (y1 - y0) * (at - whole)));
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    stroke(context, part, this.colours.done, 1.75);
  }

  strokeDone(context, first, end) {
    const [good, bad] = [new Path2D(), new Path2D()];
    this.trace(first, end, (i) => (!this.path.draw[i] ? null : isOutside(this.path, i, this.envelope) ? bad : good));
    stroke(context, good, this.colours.done, 1.75);
    stroke(context, bad, this.colours.bad, 2.25);
  }
}
