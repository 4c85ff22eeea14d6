import type { components, paths } from "./schema.js";

export type Schemas = components["schemas"];
export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Path<M extends Method> = {
  [P in keyof paths]: paths[P][Lowercase<M> & keyof paths[P]] extends { responses: unknown } ? P : never;
}[keyof paths];

type Operation<M extends Method, P extends keyof paths> = paths[P][Lowercase<M> & keyof paths[P]];
type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : undefined;
type Answers<T> = T extends { responses: infer R } ? R[keyof R] : never;
type Parameters<T, In extends string> = T extends { parameters: infer P } ? (In extends keyof P ? P[In] : never) : never;
type Part<Name extends string, T> = [T] extends [undefined] ? unknown : undefined extends T ? { [K in Name]?: NonNullable<T> }
  : {} extends T ? { [K in Name]?: T } : { [K in Name]: T };
type Body<T> = T extends { requestBody: { content: infer C } }
  ? { body: C extends { "application/json": infer B } ? B : Uint8Array | string; contentType?: keyof C & string }
  : T extends { requestBody?: { content: { "application/json": infer B } } } ? { body?: B } : unknown;

export type Answer<M extends Method, P extends keyof paths> = Json<Answers<Operation<M, P>>>;
export type Options<M extends Method, P extends keyof paths> = Part<"params", Parameters<Operation<M, P>, "path">> &
  Part<"query", Parameters<Operation<M, P>, "query">> & Body<Operation<M, P>> & { idempotencyKey?: string };
type Arguments<T> = {} extends T ? [options?: T] : [options: T];
type Item<Page> = Page extends { items: (infer I)[] } ? I : never;

export class ApiError extends Error {
  readonly status: number;
  /** The code of the problem. A newer service may have more codes. */
  readonly code: Schemas["ProblemCode"] | (string & {});
  readonly detail: string;
  readonly errors: Schemas["FieldProblem"][];
  readonly requestId: string;
  readonly retryAfter: number | undefined;
}

export class ConnectionLostError extends Error {}

export interface ClientOptions {
  key: string;
  /** The address of the service, without a path. */
  url: string;
  /** Requests in all, the first one included: 5. */
  attempts?: number;
  /** A longer `Retry-After`, in seconds, is an error: 60. */
  longestWait?: number;
  /** Seconds for one attempt: 30. */
  timeout?: number;
  wait?: (seconds: number) => Promise<unknown>;
  fetch?: typeof globalThis.fetch;
}

export interface FeedOptions {
  cursor?: string;
  start?: Schemas["FeedStart"];
  types?: string;
  limit?: number;
  /** Go on with new changes, after so many seconds without. */
  every?: number;
}

export class Client {
  constructor(options: ClientOptions);
  /** Send a request; return its JSON or throw an `ApiError` or a `ConnectionLostError`. */
  send<M extends Method, P extends Path<M>>(method: M, path: P, ...options: Arguments<Options<M, P>>): Promise<Answer<M, P>>;
  /** Iterate over the pages of a list. */
  pages<M extends "GET" | "POST", P extends Path<M>>(method: M, path: P, ...options: Arguments<Options<M, P>>): AsyncGenerator<Answer<M, P>>;
  /** Iterate over the items of all pages of a list. */
  items<M extends "GET" | "POST", P extends Path<M>>(method: M, path: P, ...options: Arguments<Options<M, P>>): AsyncGenerator<Item<Answer<M, P>>>;
  /** Iterate over the pages of the change feed after a cursor. */
  followChanges(options?: FeedOptions): AsyncGenerator<Schemas["ChangesOut"]>;
}

export function verifyWebhook(
  body: Uint8Array | string,
  headers: HeadersInit,
  secrets: string | string[],
  now?: number,
): Promise<Schemas["WebhookMessage"]>;
