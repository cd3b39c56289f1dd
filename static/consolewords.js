/** What of a machine's talk a person wants to see. Pure functions. */

/** A line by which a machine says what it is, as an example of what can be sent; one that only takes lines has none. */
export const EXAMPLES = { ebb: 'V', grbl: '$I', hpgl: 'OI;', marlin: 'M115' };

/** Questions that the station asks by itself, over and over, and what is answered to them. */
const POLLING = [
  /^\?$/, // GRBL: a question for its state,
  /^<.*>$/, // and the answer.
  /^M(?:105|114|27)\b/i, // Marlin: temperatures, position, SD status,
  /^(?:ok )?T\d?:\s*-?\d/i,
  /^X:-?[\d.]+ Y:-?[\d.]+ Z:/,
  /^echo:\s*busy/i,
  /^wait$/i,
  /^(?:QS|QM|QG|QB|QC|QT|QP)\b/, // EBB: queries.
  /^\u001b\.[BEO]/, // HPGL: buffer and state, as a device control sequence,
  /^␛\.[BEO]/,
];

/** True for a line that says the same each second. */
export const isPolling = (line) => POLLING.some((pattern) => pattern.test(line.trim()));

/** A bare acknowledgement: while a job is streamed there are hundreds a second. */
export const isBareOk = (line) => /^ok(?: [NPB]\d+)*$/i.test(line.trim());

/** Which way a line went and how it looks: `{kind, words}`. The station's own lines come as DEBUG. */
export function tell(line, level) {
  const sent = /^(?:>|›)\s?(.*)$/s.exec(line);
  if (sent) return { kind: 'sent', words: sent[1] };
  if (level === 'DEBUG' || level === 'TRACE') return { kind: 'own', words: line };
  const bad = level === 'WARN' || level === 'ERROR' || /^(?:error|alarm|!!)/i.test(line);
  return { kind: bad ? 'bad' : 'got', words: line };
}

/** True if a line is left out while polling is hidden; an "ok" to a person's own line is an answer. */
export function isHidden({ kind, words }, awaited) {
  if (kind === 'sent') return false;
  return isPolling(words) || (isBareOk(words) && !awaited);
}
