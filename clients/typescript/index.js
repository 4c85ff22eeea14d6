// The client of Customer Health: a thin layer on fetch. Its types are in index.d.ts.
import { PATHS_WITH_KEY } from "./operations.js";

const TOLERANCE_SECONDS = 300;
const sleep = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** A problem that the service answered with, or an answer of a proxy before it. */
export class ApiError extends Error {
  constructor(status, problem, retryAfter) {
    super(`${status} ${problem.code ?? ""}: ${problem.detail ?? ""}`);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? "";
    this.detail = problem.detail ?? "";
    this.errors = problem.errors ?? [];
    this.requestId = problem.request_id ?? "";
    this.retryAfter = retryAfter;
  }
}

/** No answer arrived, after all retries that are safe. The request may have been carried out. */
export class ConnectionLostError extends Error {
  constructor(method, path, cause) {
    super(`${method} ${path}: no answer (${cause})`, { cause });
    this.name = "ConnectionLostError";
  }
}

export class Client {
  #options;

  constructor({ key, url, attempts = 5, longestWait = 60, timeout = 30, wait = sleep, fetch = globalThis.fetch }) {
    this.#options = { key, url: url.replace(/\/+$/, ""), attempts, longestWait, timeout, wait, fetch };
  }

  async send(method, path, { params = {}, query = {}, body, contentType, idempotencyKey } = {}) {
    const { attempts, wait } = this.#options;
    const key = method === "POST" && PATHS_WITH_KEY.has(path) ? (idempotencyKey ?? crypto.randomUUID()) : undefined;
    const request = this.#request(method, path, { params, query, body, contentType, key });
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#outcome(request);
      const seconds = attempt < attempts ? this.#waitAfter(request, attempt, outcome) : undefined;
      if (seconds === undefined) return readAnswer(method, path, outcome);
      await wait(seconds);
    }
  }

  async *pages(method, path, options = {}) {
    let next = options;
    while (next) {
      const page = await this.send(method, path, next);
      yield page;
      const cursor = page.next_cursor;
      const part = method === "GET" ? "query" : "body";
      next = cursor === null ? undefined : { ...options, [part]: { ...options[part], cursor } };
    }
  }

  async *items(method, path, options = {}) {
    for await (const page of this.pages(method, path, options)) yield* page.items;
  }

  /** Yield pages of the change feed: store `next_cursor` in the transaction of your work. */
  async *followChanges({ cursor, start, types, limit = 500, every } = {}) {
    let position = cursor;
    for (;;) {
      const query = { cursor: position, types, limit, start: position === undefined ? start : undefined };
      const page = await this.send("GET", "/api/v1/changes", { query });
      yield page;
      position = page.next_cursor;
      if (!page.has_more && every === undefined) return;
      if (!page.has_more) await this.#options.wait(every);
    }
  }

  #request(method, path, { params, query, body, contentType, key }) {
    const headers = { Authorization: `Bearer ${this.#options.key}`, Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = contentType ?? "application/json";
    if (key !== undefined) headers["Idempotency-Key"] = key;
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    return {
      url: this.#options.url + fill(path, params) + search(query),
      init: { method, headers, body: body === undefined || isRaw ? body : JSON.stringify(body), redirect: "manual" },
      isSafeToRepeat: method === "GET" || key !== undefined,
    };
  }

  async #outcome({ url, init }) {
    const { fetch, timeout } = this.#options;
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(timeout * 1000) });
      return { response, text: response.status === 204 ? "" : await response.text() };
    } catch (error) {
      return { error };
    }
  }

  #waitAfter({ isSafeToRepeat }, attempt, { response, error }) {
    const { longestWait } = this.#options;
    const neverLeft = error?.cause?.code === "ECONNREFUSED";
    const mayRepeat = error ? isSafeToRepeat || neverLeft : isBusy(response);
    if (!mayRepeat) return undefined;
    const growing = (Math.min(0.5 * 2 ** (attempt - 1), longestWait) * (1 + Math.random())) / 2;
    const seconds = (response && retryAfter(response)) ?? growing;
    return seconds <= longestWait ? seconds : undefined;
  }
}

/** Return the message of a webhook if one of the secrets has signed it (Standard Webhooks). */
export async function verifyWebhook(body, headers, secrets, now = Date.now() / 1000) {
  const sent = new Headers(headers);
  const [id, at] = ["webhook-id", "webhook-timestamp"].map((name) => sent.get(name) ?? "");
  if (!/^\d+$/.test(at) || Math.abs(now - Number(at)) > TOLERANCE_SECONDS) {
    throw new Error("The header webhook-timestamp is missing, or more than 5 minutes off.");
  }
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const signed = new Uint8Array([...new TextEncoder().encode(`${id}.${at}.`), ...bytes]);
  const received = (sent.get("webhook-signature") ?? "").split(" ").filter((each) => each.startsWith("v1,"));
  for (const secret of [secrets].flat()) {
    const key = await hmacKey(secret);
    for (const each of received) {
      if (await crypto.subtle.verify("HMAC", key, fromBase64(each.slice(3)), signed)) {
        return JSON.parse(new TextDecoder().decode(bytes));
      }
    }
  }
  throw new Error("No signature of the request is of one of the secrets.");
}

const hmacKey = (secret) =>
  crypto.subtle.importKey("raw", fromBase64(secret.replace(/^whsec_/, "")), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** Fill ids into a path. The URL standard has no way to write the ids `.` and `..`. */
const fill = (path, params) =>
  path.replace(/\{(\w+)\}/g, (_, name) => {
    const id = String(params[name]);
    if (id === "." || id === "..") throw new TypeError(`${name}: fetch cannot send the id ${id}`);
    return encodeURIComponent(id);
  });

function search(query) {
  const found = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null) found.append(name, typeof each === "object" ? JSON.stringify(each) : String(each));
    }
  }
  const text = found.toString();
  return text && `?${text}`;
}

const isBusy = ({ status, headers }) =>
  status === 429 || status === 503 || (status === 409 && headers.has("retry-after"));

function retryAfter(response) {
  const text = response.headers.get("retry-after");
  if (text === null) return undefined;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(seconds, 0);
}

function readAnswer(method, path, { response, text, error }) {
  if (error) throw new ConnectionLostError(method, path, error);
  if (response.ok) return text ? JSON.parse(text) : undefined;
  let problem;
  try {
    problem = JSON.parse(text);
  } catch {
    problem = { detail: text.slice(0, 500) };
  }
  throw new ApiError(response.status, problem, retryAfter(response));
}
