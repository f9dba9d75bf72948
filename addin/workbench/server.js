// The workbench's own requests; it signs in as the pane does.

const CLIENT = "workbench";

/** @returns {Promise<string>} what the pane would send, empty when nobody is signed in */
async function authorization() {
  const pane = /** @type {HTMLIFrameElement} */ (document.getElementById("pane"));
  const { getAuth } = /** @type {any} */ (pane.contentWindow) ?? {};
  return getAuth ? (await getAuth()).token : "";
}

export class ServerError extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {RequestInit & {headers?: Record<string, string>}} [options]
 * @returns {Promise<Response>} an answer that is no error
 */
export async function ask(path, options = {}) {
  const token = await authorization();
  const headers = {
    "X-Tilt-Client": CLIENT,
    ...(token ? { Authorization: token } : {}),
    ...options.headers,
  };
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options, headers });
  } catch {
    throw new ServerError(0, "The Tilt server does not answer.");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new ServerError(response.status, problem.detail ?? `The server said ${response.status}.`);
}
