/** How the last run of the station ended, said once if it was not as it should be. */

import { h, show, text } from './dom.js';
import { moment } from './format.js';

const KEY = 'stationd.last-run';

const VERDICTS = {
  killed: 'The last run was killed.',
  crashed: 'The last run crashed.',
  out_of_memory: 'The last run ended because memory ran out.',
  power_loss: 'The last run ended by a power loss.',
};

/** `{lead, detail, id}` of a run that did not end well, else null; `id` tells it from others. */
export function verdictOf(run) {
  if (!run?.verdict || run.verdict === 'clean' || run.verdict === 'first') return null;
  const lead = VERDICTS[run.verdict] ?? 'The last run did not end well.';
  const detail = run.detail && run.detail !== lead ? run.detail : '';
  return { lead, detail, id: `${run.verdict} ${run.ended_at ?? ''}` };
}

/** The line on the overview; what was dismissed stays so in this browser. */
export function lastRunPart() {
  let seen = read();
  let id = '';
  const lead = h('strong');
  const detail = h('span');
  const at = h('span', { class: 'note figures' });
  const dismiss = () => {
    seen = id;
    write(id);
    show(element, false);
  };
  const element = h('section', { class: 'last-run', id: 'last-run', data: { meaning: 'attention' }, 'aria-label': 'How the last run ended' }, h('p', {}, lead, ' ', detail, ' ', at), h('button', { type: 'button', data: { action: 'dismiss' }, on: { click: dismiss } }, 'Dismiss'));
  return {
    element,
    update({ station }) {
      const verdict = verdictOf(station.last_run);
      show(element, verdict !== null && verdict.id !== seen);
      if (verdict === null) return;
      id = verdict.id;
      text(lead, verdict.lead);
      text(detail, verdict.detail);
      text(at, station.last_run.ended_at ? moment(station.last_run.ended_at) : '');
    },
  };
}

function read() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return ''; // Storage may be forbidden; then it is said at each visit.
  }
}

function write(id) {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // It stays dismissed as long as the page is open.
  }
}
