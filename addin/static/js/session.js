// Who is calling: the client's name on every request, and the API key or the token of Microsoft Entra
// ID where the server asks for one.

const CLIENT_HEADER = "X-Tilt-Client";
export const CLIENT = "excel";

/** Excel on the web shares one origin's storage between sites; the partition keeps ours apart. */
function slot() {
  return `${globalThis.Office?.context?.partitionKey ?? ""}tilt.key`;
}

let memory = ""; // a key that is not to outlive the session, or where storage is closed

/** @returns {string} the API key, empty when not signed in */
export function apiKey() {
  if (memory) return memory;
  try {
    return localStorage.getItem(slot()) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} key
 * @param {{remember: boolean}} options
 */
export function signIn(key, { remember }) {
  signOut();
  memory = key;
  if (!remember) return;
  try {
    localStorage.setItem(slot(), key);
  } catch (error) {
    console.warn("Tilt: storage is closed, so the key is kept for this session only.", error);
  }
}

/** @type {import("./tokens.js").Tokens | null} */
let tokens = null;

/**
 * Send tokens of Microsoft Entra ID, as long as there is no API key.
 *
 * @param {import("./tokens.js").Tokens} source
 */
export function useTokens(source) {
  tokens = source;
}

/** @returns {string} the key or the token that a request carries now, empty when not signed in */
export function credential() {
  return apiKey() || tokens?.token || "";
}

export function signOut() {
  memory = "";
  tokens?.forget();
  try {
    localStorage.removeItem(slot());
  } catch (error) {
    console.warn("Tilt: storage is closed, so there was no key to remove.", error);
  }
}

/** @returns {Record<string, string>} headers that every request of ours carries */
export function headers() {
  const given = credential();
  return { [CLIENT_HEADER]: CLIENT, ...(given ? { Authorization: `Bearer ${given}` } : {}) };
}

/**
 * What the shipped scripts ask for before each call.
 *
 * @returns {Promise<{token: string, provider: string}>}
 */
export async function getAuth() {
  const given = apiKey() || (await tokens?.fresh());
  return { token: given ? `Bearer ${given}` : "", provider: "" };
}
