// A job that the pane follows while its server is away, and the files of a report.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

/** As much of an element as the pane's parts use. */
class Element {
  constructor() {
    this.children = [];
    this.listeners = {};
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  setAttribute() {}

  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }

  set textContent(text) {
    this.children = [text];
  }

  get textContent() {
    return this.children.map((child) => child.textContent ?? child).join("");
  }
}

const box = new Element();
globalThis.Node = Element;
globalThis.document = { getElementById: () => box, createElement: () => new Element() };
globalThis.window = { location: { origin: "" } };
globalThis.Office = { context: { requirements: { isSetSupported: () => false } } };
URL.createObjectURL = () => "blob:";

const { follow } = await import("../../../addin/static/js/pane/jobs.js");
const { fileList } = await import("../../../addin/static/js/pane/ordered.js");

const RUNNING = { id: "1", state: "running", stage: "solving", fraction: 0.5, elapsed: 1 };
const DONE = { ...RUNNING, state: "done", result: "what it gave" };
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** @type {(() => any)[]} the next answers of the server; the last one stays */
let answers = [];
const away = () => {
  throw new TypeError("Failed to fetch");
};
const says = (/** @type {any} */ body) => () => new Response(JSON.stringify(body));

globalThis.fetch = async () => (answers.length > 1 ? answers.shift() : answers[0])();

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  box.replaceChildren();
});

/** @param {number} seconds */
async function pass(seconds) {
  for (let i = 0; i < seconds; i += 1) {
    mock.timers.tick(1000);
    await settle();
  }
}

test("a job goes on while its server begins anew, and the pane says so", async () => {
  answers = [...Array(8).fill(away), says(RUNNING), says(DONE)];
  const result = follow("box", RUNNING);
  await pass(10);
  assert.match(box.textContent, /^The server does not answer. Trying again/);
  await pass(30);
  assert.equal(await result, "what it gave");
});

test("a server that stays away is given up in the end", async () => {
  answers = [away];
  const result = assert.rejects(follow("box", RUNNING), /The Tilt server does not answer/);
  await pass(120);
  await result;
});

test("a file that cannot be fetched now was made all the same, and can be fetched again", async () => {
  answers = [away, () => new Response("what it holds")];
  const list = fileList([{ file: "1", name: "Growth.pdf" }]);
  await settle();
  assert.match(list.textContent, /^Growth.pdf was made, but could not be fetched. .*Try again$/);
  const [item] = list.children;
  item.children.at(-1).listeners.click();
  await settle();
  assert.equal(list.textContent, "Save Growth.pdf");
});
