// What becomes of a call: a result, or an error as Excel shows it.

/** @typedef {import("./cache.js").Outcome} Outcome */

export const AWAY =
  "The Tilt server does not answer. Open the Tilt pane to see why, then recalculate.";
const BROKEN = "The Tilt server gave an answer that Tilt cannot read. Update the add-in.";

/** @type {Outcome} */
export const PAUSED = {
  error: "Tilt is paused and has no value for this yet. Resume in the Tilt pane.",
  status: 0,
  cell: "#N/A",
};

const MOST_TOLD = 120_000; // milliseconds, whatever stands in the answer

/**
 * How long a server that has no time now wants to be left alone. Its header Retry-After says the
 * same, but the shipped scripts hand on no headers.
 *
 * @param {any} response
 * @returns {number | undefined} milliseconds; undefined if it did not say
 */
export function toldToWait(response) {
  if (![429, 503].includes(response?.status)) return undefined;
  const seconds = response.data?.retry_after;
  const said = typeof seconds === "number" && seconds > 0;
  return said ? Math.min(1000 * seconds, MOST_TOLD) : undefined;
}

/**
 * Whether the server could not be asked, or had no time: another try may succeed.
 *
 * @param {Outcome} outcome
 */
export function isAway(outcome) {
  return "error" in outcome && (outcome.status === 0 || outcome.status === 503);
}

/**
 * Whether the server had no time to begin; a job that it works on is no reason to ask at once.
 *
 * @param {Outcome & {job?: any}} outcome
 */
export function isBusy(outcome) {
  return "error" in outcome && outcome.status === 503 && !outcome.job;
}

/**
 * An outcome as the server sent it, or an error when it is not one.
 *
 * @param {any} outcome
 * @returns {Outcome}
 */
function known(outcome) {
  if (typeof outcome?.error === "string") return { status: 500, cell: "#VALUE!", ...outcome };
  if (outcome && "result" in outcome) return outcome;
  return { error: BROKEN, status: 500, cell: "#VALUE!" };
}

/**
 * The error for a request that was refused, or that nobody answered.
 *
 * @param {any} response
 * @returns {{error: string, status: number, cell: string, after?: number}}
 */
export function refusal(response) {
  const gateway = [502, 504].includes(response?.status) && !response.data?.detail;
  if (!response || gateway) return { error: AWAY, status: 0, cell: "#N/A" }; // or a proxy says so
  const { data } = response;
  const status = response.status === 429 ? 503 : response.status; // too many of ours, or of all: wait
  const error = data?.detail ?? `The Tilt server refused the call (${status}).`;
  return { error, status, cell: data?.cell ?? "#VALUE!", after: toldToWait(response) };
}

/**
 * @param {Outcome} outcome of the request
 * @param {number} count of its calls
 * @returns {Outcome[]}
 */
export function outcomesOf(outcome, count) {
  if ("error" in outcome) return Array(count).fill(outcome); // refused or lost as a whole
  const results = outcome.result?.results;
  return Array.from({ length: count }, (_, i) =>
    known(results?.length === count ? results[i] : undefined),
  );
}

/**
 * POST once. Never rejects, and always answers within the deadline.
 *
 * @param {() => Promise<import("./calls.js").Reply>} post
 * @param {number} deadline milliseconds after which no answer is waited for
 * @param {(status: number) => void} onReply told the status; 0 when no answer came
 * @returns {Promise<Outcome>} the body of the answer as `result`, or the error of the whole request
 */
export async function askOnce(post, deadline, onReply) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), deadline);
  });
  try {
    const reply = await Promise.race([post(), late]);
    onReply(reply.status);
    return { result: reply.data };
  } catch (error) {
    onReply(error.response?.status ?? 0);
    return refusal(error.response);
  } finally {
    clearTimeout(timer);
  }
}
