/** The station's HTTP interface: JSON in and out, refusals as one readable error. */

const BASE = '/api/v1';
const KEY = 'stationd.key';
let unauthorized = () => {};

/** What the station refused, in its own words (RFC 9457). */
export class Refused extends Error {
  constructor(status, problem) {
    const details = (problem.errors ?? []).map((error) => [error.pointer, error.detail].filter(Boolean).join(': '));
    super([problem.detail || problem.title || `the station answered ${status}`, ...details].join(' · '));
    this.status = status;
    this.problem = problem;
  }
}

/** The key lives as long as the tab; never longer, never in an address. */
export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  forget: () => sessionStorage.removeItem(KEY),
};

/** Calls `handler` whenever the station asks for a key. */
export function onUnauthorized(handler) {
  unauthorized = handler;
}

export const authorization = () => (key.get() ? { Authorization: `Bearer ${key.get()}` } : {});

async function request(method, path, body, options = {}) {
  const headers = { Accept: options.plain ? 'text/plain' : 'application/json', ...authorization(), ...options.headers };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(options.timeout ?? 15000),
      keepalive: options.keepalive ?? false,
      cache: 'no-store',
    });
  } catch (error) {
    throw new Error(error.name === 'TimeoutError' ? 'the station did not answer in time' : 'the station cannot be reached');
  }
  const answer = options.plain && response.ok ? await response.text() : await readBody(response);
  if (response.ok) return answer;
  if (response.status === 401) unauthorized();
  throw new Refused(response.status, answer ?? {});
}

async function readBody(response) {
  const text = await response.text();
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return { detail: response.ok ? null : `the station answered ${response.status} ${response.statusText}` };
  }
}

export const get = (path, options) => request('GET', path, undefined, options);
export const post = (path, body, options) => request('POST', path, body, options);
export const patch = (path, body) => request('PATCH', path, body);
/** What is no JSON: the lines of a log. */
export const getText = (path) => request('GET', path, undefined, { plain: true });
export const remove = (path) => request('DELETE', path);

export const jobPath = (id, action = '') => `/jobs/${encodeURIComponent(id)}${action && `/${action}`}`;
export const devicePath = (name, action = '') => `/devices/${encodeURIComponent(name)}${action && `/${action}`}`;
export const daemonPath = (name, action = '') => `/daemons/${encodeURIComponent(name)}${action && `/${action}`}`;

/** Random even on plain HTTP, where `crypto.randomUUID` does not exist. */
function idempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Submits one file as a job. `progress(share)` is called while it is sent, which `fetch` cannot do.
 * The same file is never taken twice by a repeated request: it carries a key of its own.
 */
export function upload(file, fields, progress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== '' && value !== null) form.append(name, value);
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open('POST', `${BASE}/jobs`);
    call.responseType = 'json';
    call.setRequestHeader('Idempotency-Key', idempotencyKey());
    for (const [name, value] of Object.entries(authorization())) call.setRequestHeader(name, value);
    call.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    call.onerror = () => reject(new Error('the station cannot be reached'));
    call.onload = () => {
      if (call.status === 401) unauthorized();
      if (call.status >= 200 && call.status < 300) resolve(call.response);
      else reject(new Refused(call.status, call.response ?? {}));
    };
    call.send(form);
  });
}
