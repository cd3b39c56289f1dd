/** On a machine lies half a job that was interrupted: what waited behind it waits until a person decides. */

import { attribute, h, show, text } from './dom.js';
import { plural } from './format.js';
import { shape } from './parts.js';
import { lyingOn, waitingBehind } from './queuewords.js';

/** `update(state, device)`; nothing is shown while another job is `busy` on it. */
export function lyingPart() {
  const name = h('a', { class: 'wait-job' });
  const behind = h('span');
  const element = h('p', { class: 'lying', data: { meaning: 'attention' } }, shape('attention').element, h('span', {}, name, ' was interrupted here: decide how it goes on.', behind));
  show(element, false);
  return {
    element,
    update(state, device, busy) {
      const job = busy ? null : lyingOn(state, device);
      show(element, job !== null);
      if (job === null) return;
      text(name, job.name);
      attribute(name, 'href', `#/jobs/${encodeURIComponent(job.id)}?resume`);
      const number = waitingBehind(state, job);
      text(behind, number > 0 ? ` ${plural(number, 'job waits', 'jobs wait')} for that.` : '');
    },
  };
}
