/**
 * The way back into an interrupted job, in its place: what the station would do, what is certain and
 * what is not; a person looks at it and says so. The plan is kept with the job in the store, so that
 * the picture can mark where it goes on.
 */

import { actionButton, outcome } from './actions.js';
import { devicePath, get, jobPath, post } from './api.js';
import { attribute, h, show, text } from './dom.js';
import { stateChip } from './parts.js';
import { confidenceOf, needsForce, stepsOf } from './resumewords.js';

export function resumePanel({ store, reading }, first) {
  let job = first;
  let plan = null;
  let wanted = false;
  const chip = stateChip();
  const lead = h('p', { class: 'resume-lead' });
  const reason = h('p', { class: 'words' });
  const steps = h('ol', { class: 'resume-steps' });
  const warnings = h('ul', { class: 'warnings' });
  const preamble = h('ol', { class: 'resume-lines mono', 'aria-label': 'Lines that are sent first', tabindex: '0' });
  const modal = h('p', { class: 'note mono' });
  const place = outcome();
  const isUnsure = () => plan?.confidence !== 'certain';
  const isHomed = () => plan?.confidence !== 'needs_homing';

  const go = actionButton({
    label: 'Go on from there',
    name: 'confirm-resume',
    place,
    ask: { when: isUnsure, question: () => question(), yes: 'Go on', no: 'Not yet' },
    act: () => send(needsForce(plan) || plan.confidence === 'needs_homing'),
  });
  const home = actionButton({
    label: 'Home',
    name: 'resume-home',
    place,
    ask: { question: () => `Homing moves ${job.device}. Is its way clear?`, yes: 'Home now', no: 'Not yet' },
    async act() {
      reading.take('device', await post(devicePath(job.device, 'home')));
      await read();
    },
  });
  const again = actionButton({ label: 'Look again', name: 'resume-again', place, act: read });
  const shut = h('button', { type: 'button', class: 'quiet', data: { action: 'resume-close' }, on: { click: close } }, 'Not now');
  const title = h('h2', { tabindex: '-1' }, 'How it would go on');
  const element = h('section', { class: 'resume', 'aria-label': 'How the job would go on' }, h('header', {}, title, chip.element), lead, reason, steps, warnings, preamble, modal, h('div', { class: 'actions' }, home.element, go.element, again.element, shut), place.element);
  show(element, false);

  function question() {
    if (plan.confidence === 'needs_homing') return `${job.device} was not homed since. Go on all the same?`;
    if (needsForce(plan)) return 'The position cannot be trusted: the part may be ruined. Go on all the same?';
    return `Go on with ${job.name} where it stopped? The machine moves at once.`;
  }

  async function send(force) {
    const body = plan.token ? { token: plan.token, ...(force ? { force: true } : {}) } : undefined;
    try {
      reading.take('job', await post(jobPath(job.id, 'resume'), body));
    } catch (error) {
      // The machine may have been moved, homed or lost since: what was shown is no longer so.
      if (error.status === 409 && plan.token) await read().catch(() => {});
      throw error;
    }
    close();
  }

  async function read() {
    try {
      plan = await get(jobPath(job.id, 'resume'));
    } catch (error) {
      if (error.status !== 404 && error.status !== 405) throw error;
      plan = { confidence: null }; // A station that resumes and does not say how.
    }
    store.change((state) => {
      const known = state.jobs.get(job.id);
      if (known) known.plan = plan;
    });
    draw();
  }

  async function open() {
    wanted = true;
    await read();
    if (wanted) title.focus({ preventScroll: true });
    if (wanted) element.scrollIntoView({ block: 'nearest' });
  }

  function close() {
    wanted = false;
    plan = null;
    store.change((state) => {
      const known = state.jobs.get(job.id);
      if (known) known.plan = null;
    });
    show(element, false);
  }

  function draw() {
    show(element, wanted && plan !== null && job.state === 'INTERRUPTED');
    if (plan === null) return;
    const sure = confidenceOf(plan);
    attribute(element, 'data-meaning', sure.meaning);
    attribute(element, 'data-confidence', plan.confidence ?? 'unknown');
    chip.update(sure, plan.confidence ?? 'unknown');
    text(lead, sure.lead);
    text(reason, sure.reason);
    show(reason, sure.reason !== '');
    fill(steps, stepsOf(plan));
    fill(warnings, plan.warnings ?? []);
    fill(preamble, plan.preamble ?? []);
    const state = (plan.state ?? []).join(' ');
    text(modal, state ? `Modes that are restored: ${state}` : '');
    show(modal, state !== '');
    home.show(!isHomed() && Boolean(job.device));
    home.button.classList.toggle('leading', !isHomed());
    text(go.button, plan.confidence === 'certain' ? 'Go on from there' : 'Go on all the same…');
    attribute(go.button, 'class', plan.confidence === 'certain' ? 'leading' : 'danger');
  }

  return {
    element,
    open,
    update(now) {
      job = now;
      if (job.state !== 'INTERRUPTED') show(element, false);
    },
  };
}

function fill(list, lines) {
  show(list, lines.length > 0);
  list.replaceChildren(...lines.map((line) => h('li', {}, line)));
}
