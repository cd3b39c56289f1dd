/**
 * The words of jobs, machines and daemons: what each state means and which actions it allows.
 * A meaning is one of five: neutral, active, good, attention, bad. It decides colour and shape;
 * the word is always shown too.
 */

const state = (meaning, word, why, actions = []) => ({ meaning, word, why, actions });

/** Jobs, with the moves that the station accepts from each state. */
export const JOB = {
  HELD: state('attention', 'held', 'It waits until a person releases it.', ['release', 'cancel']),
  QUEUED: state('neutral', 'waits', 'It waits for its turn and for a machine that is free.', ['pause', 'cancel']),
  RUNNING: state('active', 'running', 'Nothing is wrong: it is being worked on.', ['pause', 'cancel']),
  PAUSED: state('attention', 'paused', 'A person paused it, or its file stops for one; the machine holds still.', ['resume', 'skip', 'cancel']),
  INTERRUPTED: state(
    'attention',
    'interrupted',
    'The station, the link or the machine failed while it ran. A person chooses how to go on.',
    ['resume', 'retry', 'cancel'],
  ),
  COMPLETED: state('good', 'completed', 'It ran to its end.', ['delete']),
  FAILED: state('bad', 'failed', 'It ended with an error.', ['retry', 'delete']),
  CANCELLED: state('neutral', 'cancelled', 'A person ended it.', ['retry', 'delete']),
};

/** Machines. */
export const DEVICE = {
  disconnected: state('neutral', 'disconnected', 'There is no link to it.', ['connect']),
  connecting: state('active', 'connecting', 'The link is being opened; the machine has not said who it is yet.', ['disconnect']),
  idle: state('neutral', 'idle', 'It is ready for a job.', ['home', 'disconnect']),
  busy: state('active', 'busy', 'It works.', ['disconnect']),
  paused: state('attention', 'paused', 'It holds still in the middle of a job.', ['disconnect']),
  alarm: state('bad', 'alarm', 'It refuses to move until a person has looked at it.', ['home', 'unlock', 'disconnect']),
  error: state('bad', 'error', 'It cannot be used.', ['connect', 'disconnect']),
};

/** Daemons. */
export const DAEMON = {
  STOPPED: state('neutral', 'stopped', 'It was not asked to run, or ended as asked.', ['start']),
  STARTING: state('active', 'starting', 'It was launched, or waits for what it depends on.', ['stop']),
  RUNNING: state('good', 'running', 'It runs and shows life.', ['restart', 'stop']),
  BACKOFF: state('attention', 'backing off', 'It went down and is started again after a pause.', ['start', 'stop']),
  STOPPING: state('neutral', 'stopping', 'It was asked to stop.', ['kill']),
  FAILED: state('bad', 'failed', 'It failed too often in a row. A person starts it again.', ['start']),
};

/** How well a daemon works. */
export const HEALTH = {
  healthy: state('good', 'healthy'),
  degraded: state('attention', 'degraded'),
  unhealthy: state('bad', 'unhealthy'),
  unknown: state('neutral', 'unknown'),
};

/** Plugins. */
export const PLUGIN = {
  loaded: state('good', 'loaded'),
  broken: state('bad', 'broken'),
  disabled: state('neutral', 'disabled'),
};

/** What a preflight says of a file; its problems have the same severities. */
export const VERDICT = {
  green: state('good', 'green', 'Nothing speaks against it.'),
  amber: state('attention', 'amber', 'It may run; read this first.'),
  red: state('bad', 'red', 'It does not start unless a person insists.'),
};

/** The queue, or the part of it that is for one machine. */
export const QUEUE = {
  running: state('good', 'open', 'Jobs start as their turn comes.', ['pause', 'drain']),
  paused: state('attention', 'paused', 'No job starts; what runs goes on.', ['resume']),
  draining: state('attention', 'draining', 'What waits is run, new jobs are refused.', ['resume']),
  drained: state('attention', 'drained', 'Nothing is left to run, new jobs are refused.', ['resume']),
};

/** Severities of alerts. */
export const SEVERITY = { info: 'neutral', warning: 'attention', error: 'bad', critical: 'bad' };

const UNHEARD_OF = state('neutral', 'unknown', 'This page does not know the state.');

/** What `word` means in `table`; a newer station may know states that this page does not. */
export function lookUp(table, word) {
  return table[word] ?? { ...UNHEARD_OF, word: String(word ?? 'unknown').toLowerCase() };
}

/** A daemon's one meaning: its state, unless it runs and is not well. */
export function daemonMeaning(daemon) {
  const health = HEALTH[daemon.health?.status];
  const runs = daemon.state === 'RUNNING';
  return runs && health && health.meaning !== 'neutral' ? health.meaning : lookUp(DAEMON, daemon.state).meaning;
}

export const isActive = (job) => job.state === 'RUNNING' || job.state === 'PAUSED';
export const isOver = (job) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.state);

/** True if a reason says more than the word of the state: "cancel" does not, beside "cancelled". */
export const saysMore = (reason, word) => !word.toLowerCase().startsWith((reason ?? '').toLowerCase());
