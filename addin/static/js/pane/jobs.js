// A job of the server as the pane shows it: stage, per cent, elapsed time, and Cancel.

import { at, h } from "./dom.js";
import { duration, percent } from "./format.js";
import { ask, ServerError } from "./server.js";

const EVERY = 300; // milliseconds between two looks
const AWAY = new Set([0, 429, 502, 503, 504]); // no answer, or none now: the job goes on meanwhile
const SELDOM = 5000; // milliseconds between two looks while the server is away, at most
const PATIENCE = 90_000; // milliseconds without an answer: longer than a server takes to begin anew

/**
 * @typedef {object} Job
 * @property {string} id
 * @property {string} state queued, running, done, failed, canceled
 * @property {string} stage
 * @property {number} fraction
 * @property {number} elapsed
 * @property {string} error
 * @property {any} result
 */

/** A job that was canceled: no error, but there is no result either. */
export class Canceled extends Error {}

const sleep = (/** @type {number} */ milliseconds) =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** @param {Job} job */
const pending = ({ state }) => state === "queued" || state === "running";

/**
 * Follow a job until it ends.
 *
 * @param {string} box id of the element that shows it
 * @param {Job} job as it was submitted
 * @returns {Promise<any>} its result
 * @throws {Canceled | ServerError}
 */
export async function follow(box, job) {
  const shown = show(box, job.id);
  try {
    let now = job;
    let pause = EVERY;
    let away = 0; // milliseconds
    const started = performance.now();
    while (pending(now)) {
      if (away === 0) shown.update(now, (performance.now() - started) / 1000);
      await sleep(pause);
      try {
        now = await ask(`jobs/${job.id}`);
        [pause, away] = [EVERY, 0];
      } catch (error) {
        away += pause;
        if (away >= PATIENCE || !AWAY.has(error.status)) throw error;
        pause = Math.min(2 * pause, SELDOM);
        shown.away();
      }
    }
    if (now.state === "canceled") throw new Canceled();
    if (now.state === "failed") {
      throw new ServerError(now.error, { status: 422, id: job.id, request: `job ${job.id}` });
    }
    return now.result;
  } finally {
    at(box).replaceChildren();
  }
}

/**
 * @param {string} box
 * @param {string} id
 */
function show(box, id) {
  const stage = h("span", { role: "status", class: "grow" });
  const figures = h("span", { class: "quiet small figures" });
  const bar = h("progress", { max: 1, value: 0, "aria-label": "Progress" });
  const cancel = h("button", { type: "button", class: "cancel" }, "Cancel");
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    stage.textContent = "Canceling";
    try {
      await ask(`jobs/${id}`, { method: "DELETE" });
    } catch {
      cancel.disabled = false; // the next look says what is wrong with the server
    }
  });
  at(box).replaceChildren(
    h("div", { class: "job" }, h("div", { class: "row tight" }, stage, figures), bar, cancel),
  );
  let said = "";
  return {
    /**
     * @param {Job} job
     * @param {number} waited seconds
     */
    update(job, waited) {
      // spoken only when it changes
      if (job.stage !== said && !cancel.disabled) {
        stage.textContent = job.stage.charAt(0).toUpperCase() + job.stage.slice(1);
      }
      said = job.stage;
      figures.textContent = `${percent(job.fraction, 0)}, ${duration(Math.max(waited, job.elapsed))}`;
      bar.value = job.fraction;
    },
    away() {
      if (!cancel.disabled) stage.textContent = "The server does not answer. Trying again";
      said = "";
    },
  };
}
