/** What stands around every view: the sentence, the connection, the theme, the key form, the keys. */

import { key } from './api.js';
import { attribute, h, show, text } from './dom.js';
import { shape, shapeImage } from './parts.js';
import { briefSentence, sentence } from './sentence.js';

const byId = (id) => document.getElementById(id);
const PHASES = { connecting: ['connecting', 'neutral'], live: ['live', 'good'], lost: ['not connected', 'bad'], unauthorized: ['key needed', 'attention'] };
const THEMES = { auto: 'Auto', light: 'Light', dark: 'Dark', contrast: 'Contrast' };

/** The sentence on top, also as title and icon. */
export function sentencePart() {
  const place = byId('sentence');
  const brief = byId('sentence-brief');
  const mark = shape('neutral');
  byId('sentence-mark').append(mark.element);
  let said = '';
  return (state) => {
    const { text: words, lead, rest, meaning } = sentence(state);
    const name = state.station.name ?? '';
    // Only a change may touch the live region, or it would be read out each second.
    if (words !== said) place.replaceChildren(h('strong', {}, lead), ` ${rest}`);
    said = words;
    const short = briefSentence(state);
    if (brief.textContent !== `${short.lead} ${short.rest}`) brief.replaceChildren(h('strong', {}, short.lead), ` ${short.rest}`);
    text(byId('station-name'), name || 'stationd');
    attribute(place.parentElement, 'data-meaning', meaning);
    mark.update(meaning);
    const title = name ? `${words} ${name}` : words;
    if (document.title !== title) document.title = title;
    const colour = getComputedStyle(place.parentElement).getPropertyValue('--tone').trim() || '#808080';
    attribute(byId('favicon'), 'href', shapeImage(meaning, colour));
  };
}

/** The state of the connection as a word, and a banner with the age of what is shown. */
export function connectionPart(retry) {
  const chip = byId('connection');
  const mark = shape('neutral');
  const word = h('span');
  chip.append(mark.element, word);
  const words = h('span', { class: 'figures' });
  const banner = byId('banner');
  banner.append(words, h('button', { type: 'button', on: { click: retry } }, 'Try now'));
  return ({ connection }) => {
    const [shown, meaning] = PHASES[connection.phase];
    attribute(chip, 'data-state', connection.phase);
    attribute(chip, 'data-meaning', meaning);
    mark.update(meaning);
    text(word, shown);
    attribute(document.body, 'data-connection', connection.phase);
    show(banner, connection.phase === 'lost');
    if (connection.phase !== 'lost') return;
    const age = Math.max(0, Math.round((performance.now() - connection.lastWord) / 1000));
    const wait = Math.ceil(((connection.retryAt ?? 0) - performance.now()) / 1000);
    const frozen = connection.lastWord > 0 ? `Connection lost: everything here is frozen since ${age} s.` : 'The station does not answer.';
    text(words, `${frozen} ${wait > 0 ? `Trying again in ${wait} s.` : 'Trying again now…'}`);
  };
}

/** The theme button goes round: auto, light, dark, high contrast. */
export function themePart() {
  const button = byId('theme');
  const names = Object.keys(THEMES);
  const read = () => {
    try {
      return localStorage.getItem('stationd.theme') ?? 'auto';
    } catch {
      return 'auto';
    }
  };
  let choice = read();
  const draw = () => {
    text(byId('theme-word'), THEMES[choice]);
    button.setAttribute('aria-label', `Theme: ${THEMES[choice]}. Change`);
  };
  button.addEventListener('click', () => {
    choice = names[(names.indexOf(choice) + 1) % names.length];
    try {
      localStorage.setItem('stationd.theme', choice);
    } catch {
      // Without storage the choice cannot be kept; the system's theme stays.
    }
    dispatchEvent(new Event('stationd:theme'));
    draw();
  });
  draw();
}

/** The form that asks for the API key; it covers the views until the key is right. */
export function keyForm(retry) {
  const form = byId('key-form');
  const input = byId('key-input');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    key.set(input.value.trim());
    input.value = '';
    retry();
  });
  let asked = false;
  return ({ connection }) => {
    const asking = connection.phase === 'unauthorized';
    show(form, asking);
    show(byId('view'), !asking);
    text(byId('key-problem'), asking && connection.refused ? 'That key was not accepted. Look it up in the configuration and try again.' : '');
    if (asking && !asked) input.focus();
    asked = asking;
  };
}

/** Keys that are used often; never while typing, never with a modifier. */
export function keysPart({ go, filter, addFiles }) {
  const help = byId('help');
  const open = () => {
    help.show();
    byId('help-close').focus();
  };
  byId('help-open').addEventListener('click', open);
  byId('help-close').addEventListener('click', () => help.close());
  const places = { o: 'overview', j: 'jobs', m: 'machines', d: 'daemons', e: 'events' };
  let leading = false;
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape') help.close();
    if (event.target.closest?.('input, select, textarea, [contenteditable]')) return;
    const led = leading;
    leading = event.key === 'g';
    if (led && places[event.key]) go(places[event.key]);
    else if (event.key === '?') open();
    else if (event.key === '/' && filter()) event.preventDefault();
    else if (event.key === 'u' && addFiles()) event.preventDefault();
  });
}
