/**
 * Files become jobs: by the button, or dropped anywhere on the page. Each file is sent by itself, so
 * that one that is refused says why in its own line and stops no other.
 */

import { upload } from './api.js';
import { h, show, text, uniqueId } from './dom.js';
import { bytes } from './format.js';
import { bar } from './parts.js';

const ACCEPTED = '.gcode,.gco,.g,.nc,.ngc,.tap,.cnc,.txt,.svg,.hpgl,.plt';

export function uploads(app) {
  const input = h('input', { id: 'file-input', type: 'file', multiple: true, accept: ACCEPTED, class: 'visually-hidden', tabindex: '-1', 'aria-label': 'Files to add to the queue' });
  const button = h('button', { type: 'button', id: 'add-files', class: 'leading', on: { click: () => input.click() } }, 'Add files');
  const options = optionsPart(app);
  const lines = h('ul', { class: 'uploads', 'aria-live': 'polite' });
  const target = h('div', { id: 'drop-target', class: 'drop-target' }, h('p', {}, 'Drop files here to add them to the queue.'), options.element);

  const add = (files) => {
    for (const file of files) sendOne(app, file, options.fields(), lines);
  };
  input.addEventListener('change', () => {
    add(input.files);
    input.value = '';
  });
  const undo = dropAnywhere(add);
  return { button, input, element: h('div', { class: 'upload' }, lines, target), update: options.update, dispose: undo };
}

async function sendOne({ store, reading }, file, fields, lines) {
  const progress = bar(`Sending ${file.name}`);
  const words = h('span', { class: 'note' }, `sending ${bytes(file.size)}`);
  const close = h('button', { type: 'button', class: 'quiet small', on: { click: () => line.remove() } }, 'Dismiss');
  const line = h('li', { data: { upload: 'sending' } }, h('span', { class: 'job-name' }, file.name), words, progress.element, close);
  show(close, false);
  lines.append(line);
  try {
    const answer = await upload(file, fields, (share) => progress.update(share * 100));
    for (const job of answer?.items ?? [answer]) reading.take('job', job);
    line.remove();
  } catch (error) {
    line.dataset.upload = 'refused';
    progress.element.remove();
    text(words, `Not added: ${error.message}`);
    words.className = 'refusal-words';
    show(close, true);
  }
  store.redraw();
}

/** Machine, priority and hold for the files that are added next. */
function optionsPart({ store }) {
  const [machineId, priorityId, holdId] = ['machine', 'priority', 'hold'].map(uniqueId);
  const machine = h('select', { id: machineId }, h('option', { value: '' }, 'any that fits'));
  const priority = h('select', { id: priorityId }, ['low', 'normal', 'high', 'critical'].map((word) => h('option', { value: word, selected: word === 'normal' }, word)));
  const hold = h('input', { id: holdId, type: 'checkbox' });
  const field = (id, label, control) => h('p', { class: 'field' }, h('label', { for: id }, label), control);
  const element = h('details', { class: 'upload-options' }, h('summary', {}, 'Options for added files'), field(machineId, 'Machine', machine), field(priorityId, 'Priority', priority), h('p', { class: 'field' }, hold, h('label', { for: holdId }, 'Hold until I release it')));
  return {
    element,
    fields: () => ({ device: machine.value, priority: priority.value === 'normal' ? '' : priority.value, hold: hold.checked ? 'true' : '' }),
    update() {
      const names = [...store.state.devices.keys()].sort();
      if (names.length === machine.options.length - 1 && names.every((name, index) => machine.options[index + 1].value === name)) return;
      const chosen = machine.value;
      machine.replaceChildren(machine.options[0], ...names.map((name) => h('option', { value: name }, name)));
      machine.value = names.includes(chosen) ? chosen : '';
    },
  };
}

/** The whole page takes files, and never opens one by mistake. */
function dropAnywhere(add) {
  const carriesFiles = (event) => event.dataTransfer?.types.includes('Files');
  const mark = (on) => document.body.classList.toggle('dropping', on);
  const listeners = {
    dragover(event) {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      mark(true);
    },
    dragleave: (event) => event.relatedTarget === null && mark(false),
    drop(event) {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      mark(false);
      add(event.dataTransfer.files);
    },
  };
  for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener);
  };
}
