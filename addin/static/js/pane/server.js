// The server's HTTP interface, as the pane uses it.

import { connection } from "../connection.js";
import { headers } from "../session.js";

const ROOT = "/api/v1";

/** What went wrong with a request: in words, with the id under which the server's log has it. */
export class ServerError extends Error {
  /**
   * @param {string} detail
   * @param {{status: number, id: string, request: string}} about
   */
  constructor(detail, { status, id, request }) {
    super(detail);
    this.name = "ServerError";
    this.status = status;
    this.id = id;
    this.request = request;
  }
}

/** An id that the request carries, so that there is one even when no answer comes. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Ask the server for something.
 *
 * @param {string} path below /api/v1, or from / elsewhere
 * @param {{method?: string, body?: any, signal?: AbortSignal, open?: boolean}} [options] open: is
 *   answered before anybody signs in, so that the answer does not tell that somebody has
 * @returns {Promise<any>} the JSON of the answer, null when there is none
 * @throws {ServerError}
 */
export async function ask(path, { method = "GET", body, signal, open = false } = {}) {
  const url = path.startsWith("/") ? path : `${ROOT}/${path}`;
  const id = newId();
  const request = `${method} ${url.split("?")[0]}`;
  const send = () =>
    fetch(url, {
      method,
      headers: {
        ...headers(),
        "X-Request-ID": id,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
      signal,
    });
  let response;
  try {
    response = await connection.watch(send, { open });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const detail =
      "The Tilt server does not answer. Check that it runs and that you are online, then try again.";
    throw new ServerError(detail, { status: 0, id, request });
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  throw new ServerError(await detailOf(response), {
    status: response.status,
    id: response.headers.get("X-Request-ID") ?? id,
    request,
  });
}

/** @param {Response} response */
async function detailOf(response) {
  if (response.status === 401) return "You are not signed in. Give your API key above.";
  try {
    const { detail } = await response.json();
    if (typeof detail === "string" && detail) return detail;
  } catch {
    // a proxy between us answers in HTML
  }
  return `The server refused the request (${response.status}). Try again in a moment.`;
}

/**
 * The rows of a table as the server sends it, by the names of its columns.
 *
 * @param {{columns: string[], data: any[][]}} table
 * @returns {Record<string, any>[]}
 */
export function records({ columns, data }) {
  return data.map((row) => Object.fromEntries(columns.map((name, j) => [name, row[j]])));
}
