// Cell calls on their way to the server: the calls of one recalculation become a few POSTs.
//
// Excel calls a custom function once per cell, and the shipped custom-functions-code.js sends one
// request per call through `xwRequest.post`. A CallBatcher stands in for that `post`: it answers what
// it has answered before over the same data, gathers the other calls of a tick, sends identical ones
// and shared ranges once, and gives every caller the answer or the error that belongs to it. Nothing
// here knows Excel or the page, so it runs under node as it is.

import { makeBatch } from "./batch.js";
import { AnswerCache } from "./cache.js";
import { Gathering } from "./gathering.js";
import { PAUSED, askOnce, isAway, isBusy, outcomesOf } from "./outcomes.js";
import { withoutBlankEnd } from "./trim.js";

export const CALL_ROUTE = "/xlwings/custom-functions-call";
export const BATCH_ROUTE = "/xlwings/custom-functions-batch";

/**
 * @typedef {import("./cache.js").Outcome} Outcome
 * @typedef {import("./cache.js").Asked} Asked
 * @typedef {{data: any, status: number, statusText: string}} Reply
 * @typedef {(url: string, body: any, options?: any) => Promise<Reply>} Post
 * @typedef {{address: string, settle: (outcome: Outcome) => void}} Waiting
 * @typedef {{asked: Asked, body: any, url: string, options: any, generation: number, begun: number,
 *   waiting: Waiting[], cells: Set<string>, late: Outcome | null}} Call cells: addresses that asked;
 *   late: what is said instead, once they have waited long enough for a job
 */

/**
 * @typedef {object} BatcherOptions
 * @property {Post} post the real POST
 * @property {(cell: string, message: string) => any} failure what a failed call's result becomes:
 *   a value that Excel shows as that error (see excel_errors.js)
 * @property {AnswerCache} [cache] what was answered before
 * @property {() => readonly string[]} [longFunctions] functions that may take long; each goes alone,
 *   so that it does not hold the others' answers
 * @property {(status: number) => void} [onReply] told the status of every POST; 0 when none came
 * @property {(address: string, kind: "good" | "old" | "missing") => void} [onAnswer] told of every
 *   cell that is answered: with a good answer or error of its own, with an old value because there
 *   is no newer to be had, or with nothing for that reason
 * @property {() => void} [onLate] told when an answer came that cells no longer waited for
 * @property {() => void} [onEdition] told when an answer comes from other data than those before
 * @property {(address: string) => number} [generationOf] the least generation of answers that will
 *   do for a cell; higher after it was asked to be calculated anew
 * @property {number} [quiet] milliseconds without a new call after which a batch is sent
 * @property {number} [patience] milliseconds after which a batch is sent although calls still come
 * @property {number} [maxCalls] calls in one POST
 * @property {number} [maxCells] cells of arguments in one POST
 * @property {number} [deadline] milliseconds after which a POST without an answer counts as failed
 * @property {readonly number[]} [retries] waits in milliseconds before a 503 is tried again; longer
 *   if the server told a longer time
 * @property {readonly number[]} [looks] waits before a job is asked for again; the last one repeats
 * @property {number} [jobPatience] milliseconds a cell waits for its job; then it shows its last
 *   value, or how far the job is, until the job has ended
 */

export class CallBatcher {
  paused = false;
  /** @type {Gathering} calls that are still to be sent */
  #gathering;
  /** @type {Map<string, Call>} calls without an answer yet; an identical one joins them */
  #open = new Map();
  /** @type {Map<string, string>} what each cell asked last: the call's key by address */
  #asked = new Map();
  #owner = ""; // whose answers the cache holds
  #sent = 0;

  /** @param {BatcherOptions} options */
  constructor({
    post,
    failure,
    cache = new AnswerCache(),
    longFunctions = () => [],
    onReply = () => {},
    onAnswer = () => {},
    onLate = () => {},
    onEdition = () => {},
    generationOf = () => 0,
    quiet = 3,
    patience = 40,
    maxCalls = 500,
    maxCells = 200_000,
    deadline = 305_000,
    retries = [300, 1000, 3000],
    looks = [500, 1000, 2000, 4000],
    jobPatience = 45_000,
  }) {
    this.post = post;
    this.failure = failure;
    this.cache = cache;
    this.longFunctions = longFunctions;
    this.onReply = onReply;
    this.onAnswer = onAnswer;
    this.onLate = onLate;
    this.onEdition = onEdition;
    this.generationOf = generationOf;
    this.deadline = deadline;
    this.retries = retries;
    this.looks = looks;
    this.jobPatience = jobPatience;
    this.#gathering = new Gathering({
      cellsOf: (part) => this.cache.cellsOf(part),
      send: (calls) => this.#send(calls, 0),
      quiet,
      patience,
      maxCalls,
      maxCells,
    });
  }

  /**
   * Answer one call, as `xwRequest.post` would.
   *
   * Always resolves: a failed call's result is what `failure` makes of it, because a rejection would
   * make the shipped code retry, and it would turn every error into #VALUE!.
   *
   * @param {string} url
   * @param {any} given the body
   * @param {any} [options]
   * @returns {Promise<Reply>}
   */
  call(url, given, options = {}) {
    const body = { ...given, args: given.args.map(withoutBlankEnd) };
    const address = body.caller_address ?? "";
    const lane = this.#lane(url, options);
    const asked = this.cache.describe(lane, body.func_name, body.args);
    const generation = this.generationOf(address);
    this.#asked.set(address, asked.key);
    const kept = this.cache.get(asked.key, generation);
    if (kept) {
      this.onAnswer(address, "good");
      return Promise.resolve(this.#reply(kept));
    }
    if (this.paused) return Promise.resolve(this.#reply(this.#instead(asked.key, address, PAUSED)));
    return new Promise((resolve) => {
      const settle = (/** @type {Outcome} */ outcome) => resolve(this.#reply(outcome));
      const same = this.#open.get(asked.key);
      if (same) {
        same.waiting.push({ address, settle });
        same.cells.add(address);
        if (same.late) this.#settle(same, same.late);
        return;
      }
      const waiting = [{ address, settle }];
      const begun = performance.now();
      const cells = new Set([address]);
      const call = { asked, body, url, options, generation, begun, waiting, cells, late: null };
      this.#open.set(asked.key, call);
      if (this.longFunctions().includes(body.func_name)) this.#send([call], 0);
      else this.#gathering.add(lane, call);
    });
  }

  /** A moment between requests: what is asked now is later than all that was sent. */
  now() {
    this.#sent += 1;
    return this.#sent;
  }

  /**
   * Address and credentials. Answers to somebody else's credentials are forgotten.
   *
   * @param {string} url
   * @param {any} options
   */
  #lane(url, options) {
    const owner = `${options.headers?.Authorization ?? ""}\n${options.headers?.["Auth-Provider"] ?? ""}`;
    if (owner !== this.#owner) {
      this.cache.clear();
      this.#owner = owner;
    }
    return `${url}\n${owner}`;
  }

  /**
   * Send calls of one lane and settle them, or send again those that the server was busy for.
   *
   * @param {Call[]} calls
   * @param {number} attempt
   */
  async #send(calls, attempt) {
    const when = this.now();
    const { url, options } = calls[0];
    const batch = url.replace(CALL_ROUTE, BATCH_ROUTE);
    const outcome = await this.#ask(batch, makeBatch(calls), options);
    const edition = "result" in outcome ? String(outcome.result?.edition ?? "") : "";
    if (edition && this.cache.note(edition, when)) this.onEdition();
    const outcomes = outcomesOf(outcome, calls.length);
    /** @type {Call[]} */
    const again = [];
    calls.forEach((call, i) => {
      if (isBusy(outcomes[i]) && attempt < this.retries.length) again.push(call);
      else this.#take(call, outcomes[i], edition);
    });
    if (again.length > 0) {
      setTimeout(() => this.#send(again, attempt + 1), this.#pause(outcome, attempt));
    }
  }

  /**
   * Settle a call, or ask again for the job that computes it.
   *
   * @param {Call} call
   * @param {Outcome & {job?: any, cacheable?: boolean}} outcome
   * @param {string} edition
   * @param {number} [look]
   */
  #take(call, outcome, edition, look = 0) {
    if (outcome.job) {
      if (performance.now() - call.begun >= this.jobPatience) {
        call.late = outcome;
        this.#settle(call, outcome);
      }
      if (call.late && !this.#isWanted(call)) {
        this.#open.delete(call.asked.key);
        return; // the server ends a job that nobody asks for
      }
      const wait = this.looks[Math.min(look, this.looks.length - 1)];
      setTimeout(() => this.#look(call, outcome.job.id, look + 1), varied(wait));
      return;
    }
    this.#open.delete(call.asked.key);
    // the next calculation shows what came late, or it would start a failed job anew
    const lasts = call.late ? !isAway(outcome) : outcome.cacheable !== false && !isBusy(outcome);
    const from = edition || (call.late ? this.cache.edition : "");
    if (from && lasts) this.cache.keep(call.asked.key, outcome, from, call.generation);
    this.#settle(call, outcome);
    if (call.late && lasts) this.onLate();
  }

  /** @param {Call} call */
  #isWanted({ asked, cells }) {
    return [...cells].some((address) => this.#asked.get(address) === asked.key);
  }

  /**
   * Ask for a job again, so that one that was canceled is not started anew by asking.
   *
   * @param {Call} call
   * @param {string} follow the job's id
   * @param {number} look
   * @param {number} [attempt]
   */
  async #look(call, follow, look, attempt = 0) {
    const { url, options } = call;
    const batch = url.replace(CALL_ROUTE, BATCH_ROUTE);
    const outcome = await this.#ask(batch, { ...makeBatch([call]), follow }, options);
    const edition = "result" in outcome ? String(outcome.result?.edition ?? "") : "";
    const [found] = outcomesOf(outcome, 1);
    if (isBusy(found) && attempt < this.retries.length) {
      const again = () => this.#look(call, follow, look, attempt + 1);
      setTimeout(again, this.#pause(outcome, attempt));
    } else this.#take(call, found, edition, look);
  }

  /**
   * How long to wait for a busy server: as long as it told, or longer.
   *
   * @param {Outcome} outcome of the request
   * @param {number} attempt
   * @returns {number} milliseconds
   */
  #pause(outcome, attempt) {
    const told = "error" in outcome ? (outcome.after ?? 0) : 0;
    return Math.max(varied(this.retries[attempt]), told * (1 + 0.2 * Math.random()));
  }

  /**
   * @param {string} url
   * @param {any} body
   * @param {any} options
   */
  #ask(url, body, options) {
    return askOnce(() => this.post(url, body, options), this.deadline, this.onReply);
  }

  /**
   * @param {Call} call
   * @param {Outcome} outcome
   */
  #settle(call, outcome) {
    for (const { address, settle } of call.waiting.splice(0)) {
      if (isAway(outcome)) settle(this.#instead(call.asked.key, address, outcome));
      else {
        this.onAnswer(address, "good");
        settle(outcome);
      }
    }
  }

  /**
   * What a cell shows when there is no answer to be had: the last good one to the same call. A value
   * for other inputs would be wrong, so there is none then.
   *
   * @param {string} key
   * @param {string} address
   * @param {Outcome} outcome
   * @returns {Outcome}
   */
  #instead(key, address, outcome) {
    const last = this.cache.last(key);
    this.onAnswer(address, last ? "old" : "missing");
    return last ?? outcome;
  }

  /**
   * @param {Outcome} outcome
   * @returns {Reply}
   */
  #reply(outcome) {
    const result = "error" in outcome ? this.failure(outcome.cell, outcome.error) : outcome.result;
    return { data: { result }, status: 200, statusText: "OK" };
  }
}

/** @param {number} milliseconds varied a little, so that clients do not march in step */
const varied = (milliseconds) => milliseconds * (0.8 + 0.4 * Math.random());
