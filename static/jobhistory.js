/** What became of a job: each change of its state, why, and who let it. */

import { get, jobPath } from './api.js';
import { h, keyed, show, text } from './dom.js';
import { moment } from './format.js';
import { shape } from './parts.js';
import { JOB, lookUp, saysMore } from './states.js';

/** Changes read from the station and those heard since, each once, newest first. */
export function changesOf(read, feed, id) {
  const heard = feed.filter((event) => event.type === 'job_state_change' && event.job_id === id);
  const all = new Map([...heard, ...read].map((change) => [change.seq, change]));
  return [...all.values()].sort((one, other) => other.seq - one.seq);
}

/** Why and by whom, in words; the station's own doing needs no name. */
export function changeWords({ reason, to_state: to, actor, metadata }) {
  const who = actor ?? metadata?.actor;
  const why = reason && saysMore(reason, lookUp(JOB, to).word) ? reason : '';
  return [why, who && who !== 'station' ? `by ${who}` : ''].filter(Boolean).join(', ');
}

export function historyPart(id) {
  const list = h('ol', { class: 'changes' });
  const render = keyed(list);
  const element = h('section', { class: 'job-history', 'aria-label': 'History of this job' }, h('h2', {}, 'History'), list);
  let read = [];
  let asked = false;

  /** A station that does not tell it has the events that the page has heard. */
  async function readOnce() {
    asked = true;
    const page = await get(jobPath(id, 'history')).catch(() => ({ items: [] }));
    read = page.items;
  }

  return {
    element,
    update({ feed, queue }) {
      // Stations that have modes of the queue have this, too.
      if (!asked && queue.state !== null) readOnce();
      const changes = changesOf(read, feed, id);
      show(element, changes.length > 0);
      render(changes, (change) => change.seq, changeLine);
    },
  };
}

function changeLine(change) {
  const { word, meaning } = lookUp(JOB, change.to_state);
  const words = h('span', { class: 'words' });
  text(words, changeWords(change));
  const element = h('li', { data: { meaning, seq: change.seq } }, h('time', { class: 'note figures', datetime: change.timestamp }, moment(change.timestamp)), shape(meaning).element, h('strong', {}, word), words);
  return { element, update() {} };
}
