// The service's API, by the cookie that login leaves. Every answer also tells what time it is at the service.
import { readEvents } from './sse.js';

export class ApiError extends Error {
  constructor(status, error = {}, body = null) {
    super(error.message || (status ? `The service answered ${status}.` : 'Palisade does not answer.'));
    Object.assign(this, { status, code: error.code || (status ? 'failed' : 'away'), param: error.param || '', problems: error.problems || [], plan: error.plan, body });
  }
}

let skew = 0; // the service's clock minus the browser's, in ms
export const now = () => Date.now() + skew;

const base = new URL('api/v1/', document.baseURI);

export function address(path, query = {}) {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== null && value !== '') url.searchParams.set(name, value);
  return url;
}

// What an answer without success says.
async function faultOf(response) {
  let body = null;
  try { body = await response.json(); } catch { /* no JSON: a proxy's page, or nothing */ }
  return new ApiError(response.status, body?.error, body);
}

export function makeApi({ onDenied = () => {} } = {}) {
  async function ask(method, path, { body, headers = {}, query, signal, timeout = 30_000 } = {}) {
    const raw = body instanceof Blob || body instanceof ArrayBuffer;
    const until = timeout ? AbortSignal.timeout(timeout) : null;
    let response;
    try {
      response = await fetch(address(path, query), {
        method, credentials: 'same-origin', cache: 'no-store',
        signal: signal && until ? AbortSignal.any([signal, until]) : signal ?? until ?? undefined,
        headers: body !== undefined && !raw ? { 'Content-Type': 'application/json', ...headers } : headers,
        body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0);
    }
    const told = Date.parse(response.headers.get('Palisade-Now') ?? '');
    if (told) skew = told - Date.now();
    if (response.ok || response.status === 304) return response;
    const fault = await faultOf(response);
    if (fault.status === 401) onDenied(fault);
    throw fault;
  }
  async function full(method, path, options) {
    const response = await ask(method, path, options);
    const json = response.status !== 204 && (response.headers.get('Content-Type') ?? '').includes('json');
    return { status: response.status, headers: response.headers, body: json && response.status !== 304 ? await response.json() : null };
  }
  return {
    ask, full,
    get: async (path, query, options) => (await full('GET', path, { query, ...options })).body,
    send: async (method, path, body, options) => (await full(method, path, { body, ...options })).body,
    url: (path, query) => address(path, query).href,
    // A picture's object URL, with the answer's headers; null where it is still the one of `etag`. Revoke it.
    async picture(path, { etag, signal, timeout = 8000 } = {}) {
      const response = await ask('GET', path, { headers: etag ? { 'If-None-Match': etag } : {}, signal, timeout });
      return { url: response.status === 304 ? null : URL.createObjectURL(await response.blob()), headers: response.headers };
    },
    blob: async path => URL.createObjectURL(await (await ask('GET', path)).blob()),
    upload: async (file, signal) => (await full('POST', 'uploads', { body: file, headers: { 'Content-Type': file.type || 'application/octet-stream' }, signal, timeout: 0 })).body,
    // An answer as it comes: onEvent(type, data) for each server-sent event.
    async stream(method, path, body, onEvent, signal) {
      const response = await ask(method, path, { body, signal, timeout: 0, headers: { Accept: 'text/event-stream' } });
      if (!(response.headers.get('Content-Type') ?? '').includes('event-stream')) return onEvent('answer', await response.json());
      for await (const { type, data } of readEvents(response.body)) {
        const value = JSON.parse(data);
        if (type === 'error') throw new ApiError(500, value.error, value);
        onEvent(type, value);
      }
    },
  };
}
