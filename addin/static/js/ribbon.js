// The ribbon's buttons. The manifest names each by its key here; what runs has the same name on the
// server (addin/custom_scripts).

import { connection } from "./connection.js";
import { fetchFile, offerFile } from "./files.js";
import { changes } from "./pane/changes.js";
import { followReport } from "./pane/ordered.js";
import { settings } from "./pane/settings.js";
import { getAuth, headers } from "./session.js";

/**
 * Buttons that run a script on the server. `whole` sends the workbook as it is shown: raw values and
 * number formats of every sheet.
 *
 * @type {Record<string, {title: string, whole?: boolean}>}
 */
export const SCRIPTS = {
  as_of: { title: "As-of" },
  quality: { title: "Quality" },
  load_holdings: { title: "Load holdings" },
  check: { title: "Check" },
  compare: { title: "Compare" },
  save: { title: "Save" },
  factor_analysis: { title: "Factor analysis" },
  risk: { title: "Risk" },
  attribution: { title: "Attribution" },
  optimize: { title: "Optimize" },
  pure_factor: { title: "Pure factor" },
  tracking_error: { title: "Tracking error" },
  what_if: { title: "What-if" },
  backtest: { title: "Backtest" },
  export_report: { title: "Export report" },
  share_as_values: { title: "Share as values", whole: true },
  starter_workbook: { title: "Starter workbook" },
};

/** Buttons that open the pane at a tab. */
export const TABS = {
  documentation: { tab: "documentation" },
  status: { tab: "data" },
};

/** Buttons that start a job on the server and wait for it. */
export const JOBS = {
  refresh: { title: "Refresh", path: "/api/v1/data/refresh" },
};

const POLL_MS = 400;

/** @type {Set<string>} what runs now; a second click on it is ignored */
const running = new Set();

/** @type {Promise<unknown>} settles when the workbook is free: two scripts at once would mix */
let free = Promise.resolve();

/** Tells the pane which tab to show, and what a script says. */
export const ribbon = new EventTarget();

/**
 * @param {string} type
 * @param {Record<string, string>} detail
 */
function tell(type, detail) {
  ribbon.dispatchEvent(new CustomEvent(type, { detail }));
}

export function associateButtons() {
  /** @type {[Record<string, object>, (name: string) => Promise<void>][]} */
  const kinds = [
    [SCRIPTS, runScript],
    [TABS, (name) => showPane(TABS[/** @type {keyof typeof TABS} */ (name)].tab)],
    [JOBS, runJob],
  ];
  for (const [buttons, press] of kinds) {
    for (const name of Object.keys(buttons)) {
      Office.actions.associate(name, (/** @type {Office.AddinCommands.Event} */ event) =>
        press(name).finally(() => event.completed()),
      );
    }
  }
  globalThis.xlwings.registerCallback(tiltOffer);
  globalThis.xlwings.registerCallback(tiltFollow);
}

/** @param {string} tab */
export async function showPane(tab) {
  tell("tab", { tab });
  await Office.addin.showAsTaskpane();
}

/**
 * Run a script on the workbook; what went wrong is said in the pane, which then opens.
 *
 * @param {string} name
 */
export async function runScript(name) {
  const { title, whole } = SCRIPTS[name];
  await once(name, title, async () => {
    const before = free;
    /** @type {() => void} */
    let leave = () => {};
    free = new Promise((resolve) => {
      leave = () => resolve(undefined);
    });
    await before;
    try {
      return await apply(name, Boolean(whole), title);
    } finally {
      leave();
    }
  });
}

/**
 * Ask a script and do to the workbook what it answers, in one step of undo; gives what to say.
 *
 * @param {string} name
 * @param {boolean} whole
 * @param {string} title
 */
async function apply(name, whole, title) {
  const actions = await ask(name, whole);
  await Excel.run({ mergeUndoGroup: true }, async (context) =>
    globalThis.xlwings.runActions(actions, context),
  );
  const { words, file, job } = takeSaid();
  if (file) offerFile(file.name, await fetchFile(file.id));
  if (job) {
    followReport(job.id, job.title); // the button does not wait for it
    await Office.addin.showAsTaskpane();
  }
  return words || `${title} is done.`;
}

/**
 * Start a job, tell how far it is, and say what came of it.
 *
 * @param {string} name
 */
async function runJob(name) {
  const { title, path } = JOBS[/** @type {keyof typeof JOBS} */ (name)];
  await once(name, title, async () => {
    const { universe } = settings.now;
    let job = await call("POST", path, universe ? { universe } : {});
    while (["queued", "running"].includes(job.state)) {
      const percent = Math.round(100 * job.fraction);
      tell("message", {
        kind: "progress",
        text: `${title}: ${job.stage || "waiting"}, ${percent} %`,
      });
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      job = await call("GET", `/api/v1/jobs/${job.id}`);
    }
    if (job.state !== "done") throw new Error(job.error || `it ended as ${job.state}.`);
    return refreshed(job.result);
  });
}

/** @param {Record<string, any>} result of a refresh */
function refreshed(result) {
  const now = `${result.universe}, as of ${result.as_of}, snapshot ${result.snapshot}`;
  if (result.nothing_new) return `The data are current already: ${now}.`;
  const lines = [now, ...changes(result)].join("; ");
  return `Refreshed the data: ${lines}. Calculate the workbook to see them.`;
}

/**
 * Do what a button does unless it is being done already, and say how it went.
 *
 * @param {string} name
 * @param {string} title
 * @param {() => Promise<string>} work gives what to say
 */
async function once(name, title, work) {
  if (running.has(name)) return;
  running.add(name);
  tell("message", { kind: "progress", text: `${title} is running.` });
  try {
    tell("message", { kind: "done", text: await work() });
  } catch (error) {
    tell("message", { kind: "error", text: `${title}: ${wordsOf(error)}` });
    await Office.addin.showAsTaskpane();
  } finally {
    running.delete(name);
  }
}

/**
 * Send the workbook to a script.
 *
 * The shipped runPython does this and applies the answer in one `Excel.run`, without grouping what
 * it writes into one step of undo; so its two halves are called here.
 *
 * @param {string} name
 * @param {boolean} whole
 */
async function ask(name, whole) {
  const auth = await getAuth();
  const named = { "Auth-Provider": auth.provider };
  const payload = await Excel.run(async (context) => {
    const book = await globalThis.xlwings.getBookData(
      { auth: auth.token, headers: named },
      context,
    );
    if (whole) await asShown(context, book);
    book.book.tilt = chosen();
    return book;
  });
  const url = `${window.location.origin}/xlwings/custom-scripts-call/${name}`;
  const timeout = globalThis.config.requestTimeout * 1000;
  const { data } = await globalThis.xwRequest.post(url, payload, { headers: named, timeout });
  return data;
}

/** What the pane's settings say; a table TiltSettings or TiltConstraints goes before. */
function chosen() {
  const { universe, benchmark, objective, alpha, factor, options, rules } = settings.now;
  const given = Object.entries({ universe, benchmark, objective, alpha, factor, ...options });
  return { settings: given.filter(([, value]) => value !== "" && value !== null), rules };
}

/**
 * Put raw values and number formats into the posted sheets: the shipped code turns dates into text.
 *
 * @param {Excel.RequestContext} context
 * @param {{sheets: {name: string, values: any[][], number_formats?: any[][]}[]}} book
 */
async function asShown(context, book) {
  const ranges = book.sheets.map((sheet) =>
    context.workbook.worksheets
      .getItem(sheet.name)
      .getRangeByIndexes(0, 0, sheet.values.length, sheet.values[0].length)
      .load("values,numberFormat"),
  );
  await context.sync();
  for (const [i, sheet] of book.sheets.entries()) {
    sheet.values = ranges[i].values;
    sheet.number_formats = ranges[i].numberFormat;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>}
 */
async function call(method, path, body) {
  const send = () =>
    fetch(path, {
      method,
      cache: "no-store",
      headers: { ...headers(), ...(body ? { "Content-Type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  const response = await connection.watch(send);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

/** @param {any} error of the network, of the server or of Excel */
function wordsOf(error) {
  if (error?.response)
    return error.response.data?.detail ?? `the server said ${error.response.status}.`;
  if (error?.request || error instanceof TypeError) return "the Tilt server does not answer.";
  return error?.message ?? String(error);
}

/**
 * @type {{words: string, file: {id: string, name: string} | null,
 *   job: {id: string, title: string} | null}}
 */
let spoken = { words: "", file: null, job: null };

/** What the script that ran last said it wrote, the file it offers, and the job it started. */
function takeSaid() {
  const taken = spoken;
  spoken = { words: "", file: null, job: null };
  return taken;
}

/**
 * A callback that scripts call (`runMacro`) to say what they wrote.
 *
 * @param {Excel.RequestContext} _context
 * @param {string} words
 */
export async function tiltSay(_context, words) {
  spoken.words = words;
}

/**
 * A callback that scripts call to offer a file that the server keeps for this user.
 *
 * @param {Excel.RequestContext} _context
 * @param {string} id
 * @param {string} name
 */
export async function tiltOffer(_context, id, name) {
  spoken.file = { id, name };
}

/**
 * A callback that scripts call to have a job shown that makes files.
 *
 * @param {Excel.RequestContext} _context
 * @param {string} id
 * @param {string} title
 */
export async function tiltFollow(_context, id, title) {
  spoken.job = { id, title };
}
