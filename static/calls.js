/** What a job asks of a person, in words: the one place that decides it. Pure functions. */

import { isRed, machineFor, redWords, sentenceOf } from './reportwords.js';
import { safeColour } from './pathplace.js';

/** True if a job stands at a stop of its file, or where the machine asked for somebody. */
export const atStop = (job) => job.state === 'PAUSED' && job.kind !== 'command' && Boolean(job.error);

/** True if the stop is one of the file, not of the machine by itself; what is not known may be. */
export function atFileStop(job) {
  if (!atStop(job)) return false;
  const stops = job.analysis?.stops;
  return !Array.isArray(stops) || stops.some((stop) => stop.message === job.error);
}

/** True if a layer begins at the stop, which can be left out. */
export const canSkip = (job) => atFileStop(job) && layerAt(job) !== null;

/** The layer that a stop is before: the one it names, else the first one from the stop's line on. */
export function layerAt(job) {
  const { layers = [], stops = [] } = job.analysis ?? {};
  if (!atStop(job) || layers.length === 0) return null;
  const words = job.error.toLowerCase();
  // Of several names in the message the longest is meant: "dark blue", not "blue".
  const named = layers.filter((layer) => layer.name && words.includes(String(layer.name).toLowerCase())).sort((one, other) => other.name.length - one.name.length)[0];
  if (named) return named;
  const same = stops.filter((stop) => stop.message === job.error);
  const stop = same.find(({ line }) => line > (job.lines_acknowledged ?? 0)) ?? same.at(-1);
  return (stop && layers.find((layer) => layer.line >= stop.line)) ?? null;
}

const isPen = (job) => layerAt(job) !== null || /\bpens?\b/i.test(job.error);

/** What the button says that lets a job go on from a stop. */
export function goOnLabel(job) {
  if (isPen(job)) return 'Pen is changed, go on';
  return /\b(tool|bit|cutter|end ?mill)s?\b/i.test(job.error) || /^M0*6\b|^T\d/i.test(job.error) ? 'Tool is changed, go on' : 'Done, go on';
}

/** The message of a stop for the top of the page, with the machine's name. */
export function stopSentence(job) {
  const layer = layerAt(job);
  const where = job.device ?? 'the machine';
  if (layer) return `Change the pen on ${where}: ${layer.name}.`;
  const pen = /^change (?:the )?(pen|tool)\s*[:,-]?\s*(.*)$/i.exec(job.error);
  if (pen) return pen[2] ? sentenceOf(`Change the ${pen[1].toLowerCase()} on ${where}: ${pen[2]}`) : `Change the ${pen[1].toLowerCase()} on ${where}.`;
  return `${where} waits for you: ${String(job.error).replace(/\.$/, '')}.`;
}

/** The same among other things that need a person. */
export function stopWords(job) {
  const layer = layerAt(job);
  return `${job.device ?? 'the machine'} waits (${layer ? `change the pen: ${layer.name}` : String(job.error).replace(/\.$/, '')})`;
}

/** A stop that was made of a drawing's layer, whose message has all that is known of it. */
const LAYER = /^(layer \d+ of \d+): .*: change the pen$/i;

/**
 * What a job asks now, or null: `{kind, headline, detail, colour}`. Kinds: `stop`, `red`, `held`,
 * `interrupted`.
 */
export function callOf(state, job) {
  if (atStop(job)) {
    const layer = layerAt(job);
    const colour = safeColour(layer?.colour);
    const made = layer && LAYER.exec(job.error);
    if (made) return { kind: 'stop', headline: `Change the pen: ${layer.name}.`, detail: made[1], colour };
    return { kind: 'stop', headline: sentenceOf(job.error), detail: layer ? `Next: ${layer.name}` : '', colour };
  }
  if (job.state === 'HELD' && isRed(job)) {
    return { kind: 'red', headline: redWords(job, machineFor(state, job)?.envelope), detail: 'It is held until a person insists.', colour: null };
  }
  if (job.state === 'HELD') {
    return { kind: 'held', headline: 'It waits until you release it.', detail: job.error ? sentenceOf(job.error) : '', colour: null };
  }
  if (job.state === 'INTERRUPTED') {
    return { kind: 'interrupted', headline: 'It was interrupted: decide how it goes on.', detail: sentenceOf(job.error || job.reason || ''), colour: null };
  }
  return null;
}
