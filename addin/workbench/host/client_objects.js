// Client objects as Office.js has them: proxies whose calls queue up and run at `context.sync()`.
//
// Strict where Excel is strict. A property that was not loaded and synced throws when read; a member
// that a type does not have throws; an error inside a sync drops the rest of the queue. A type says
// what can be read, written, followed and called on a target, and a target is whatever the store has.

import { hostError, notInHost } from "./errors.js";

/**
 * @typedef {object} Link
 * @property {() => Type} to
 * @property {(target: any, host: any) => any} get the linked object's target
 */

/**
 * @typedef {object} Method
 * @property {(target: any, args: any[], host: any) => any} run at the sync; what it returns is the
 *   target of the object that the call gave
 * @property {() => Type} [returns] the type of that object; without it the call gives nothing
 */

/**
 * @typedef {object} Type
 * @property {string} name for messages
 * @property {Record<string, (target: any, host: any) => any>} [read] properties that can be loaded
 * @property {Record<string, (target: any, value: any, host: any) => void>} [write] and set
 * @property {Record<string, Link>} [links] objects it leads to, such as a range's format
 * @property {Record<string, Method>} [methods]
 * @property {{of: () => Type, list: (target: any, host: any) => any[]}} [items] of a collection
 * @property {Record<string, (target: any, host: any, handler: Function) => () => void>} [events]
 *   subscribe, and give back how to end it
 * @property {string[]} [tolerated] names that `load` accepts although they load nothing
 */

/** The target of an object that `...OrNullObject` did not find. */
export const NULL = Symbol("null object");

const INNER = Symbol("inner");

/** What stands behind a proxy. */
class Inner {
  /** @type {Record<string, any>} values loaded or set */
  loaded = {};
  /** @type {Record<string, any>} proxies of the links followed so far */
  followed = {};
  /** @type {Map<any, any>} proxies of a collection's items, so that two loads give the same ones */
  members = new Map();
  /** @type {any} */
  target = undefined;
  found = false;
  /** @type {any} */
  proxy = undefined;

  /**
   * @param {RequestContext} context
   * @param {Type} type
   * @param {() => any} find gives the target, when the queue comes to it
   */
  constructor(context, type, find) {
    this.context = context;
    this.type = type;
    this.find = find;
  }

  /** Find the target, once. */
  resolve() {
    if (!this.found) {
      this.target = this.find();
      this.found = true;
    }
    return this.target;
  }

  /** The target, which must not be a null object. */
  existing() {
    const target = this.resolve();
    if (target === NULL)
      throw hostError("InvalidObjectPath", `${this.type.name} is a null object.`);
    return target;
  }

  /** @param {string} name */
  follow(name) {
    if (!this.followed[name]) {
      const link = /** @type {Record<string, Link>} */ (this.type.links)[name];
      this.followed[name] = makeProxy(
        new Inner(this.context, link.to(), () => link.get(this.existing(), this.context.host)),
      );
    }
    return this.followed[name];
  }

  /** @param {any} target */
  member(target) {
    if (!this.members.has(target)) {
      const items = /** @type {NonNullable<Type["items"]>} */ (this.type.items);
      this.members.set(target, makeProxy(new Inner(this.context, items.of(), () => target)));
    }
    return this.members.get(target);
  }

  /** @param {string} path such as "values", "format/fill/color" or "items/name"; "" is everything */
  load(path) {
    if (this.resolve() === NULL) return;
    const { read = {}, links = {}, items, tolerated = [] } = this.type;
    const [head, ...rest] = path.split("/");
    const tail = rest.join("/");
    if (items && (head === "items" || !(head in read))) {
      this.#loadItems(items, head === "items" ? tail : path);
    } else if (head === "") {
      for (const name of Object.keys(read)) this.#loadOne(name);
    } else if (head in read) {
      this.#loadOne(head);
    } else if (head in links) {
      this.follow(head)[INNER].load(tail);
    } else if (!tolerated.includes(head)) {
      throw hostError("InvalidArgument", `${this.type.name} has no '${path}' to load.`);
    }
  }

  /** @param {string} name */
  #loadOne(name) {
    const readers = /** @type {NonNullable<Type["read"]>} */ (this.type.read);
    this.loaded[name] = readers[name](this.target, this.context.host);
  }

  /**
   * @param {NonNullable<Type["items"]>} items
   * @param {string} path of each item
   */
  #loadItems(items, path) {
    const members = items.list(this.target, this.context.host).map((target) => this.member(target));
    for (const member of members) member[INNER].load(path);
    this.loaded.items = members;
  }
}

/**
 * @param {Inner} it
 * @returns {any}
 */
function makeProxy(it) {
  it.proxy = new Proxy(
    {},
    {
      get: (_, name) => get(it, name),
      set: (_, name, value) => set(it, String(name), value),
    },
  );
  return it.proxy;
}

/**
 * @param {Inner} it
 * @param {string | symbol} name
 */
function get(it, name) {
  if (name === INNER) return it;
  if (typeof name === "symbol" || name === "then") return undefined;
  const { type, context, loaded } = it;
  if (name === "context") return context;
  if (name === "load") return (/** @type {any} */ what) => queueLoad(it, what);
  if (name === "toJSON") return () => ({ ...loaded });
  if (name === "isNullObject") {
    if (!it.found) throw notLoaded(type, name);
    return it.target === NULL;
  }
  if (name in loaded) return loaded[name];
  if (type.links && Object.hasOwn(type.links, name)) return it.follow(name);
  if (type.methods && Object.hasOwn(type.methods, name)) {
    return (/** @type {any[]} */ ...args) => call(it, name, args);
  }
  if (type.events && Object.hasOwn(type.events, name)) return eventOf(it, name);
  const known = (type.read && Object.hasOwn(type.read, name)) || (type.items && name === "items");
  throw known ? notLoaded(type, name) : notInHost(`${type.name}.${name}`);
}

/**
 * @param {Inner} it
 * @param {string} name
 * @param {any} value
 */
function set(it, name, value) {
  const write = it.type.write?.[name];
  if (!write) throw notInHost(`setting ${it.type.name}.${name}`);
  it.loaded[name] = value;
  it.context.enqueue(() => write(it.existing(), value, it.context.host));
  return true;
}

/**
 * @param {Inner} it
 * @param {string} name
 * @param {any[]} args
 */
function call(it, name, args) {
  const method = /** @type {Record<string, Method>} */ (it.type.methods)[name];
  const run = () => method.run(it.existing(), args.map(bare), it.context.host);
  if (!method.returns) {
    it.context.enqueue(run);
    return undefined;
  }
  const made = new Inner(it.context, method.returns(), run);
  it.context.enqueue(() => made.resolve());
  return makeProxy(made);
}

/**
 * A client object among a call's arguments, as its target.
 *
 * @param {any} argument
 */
function bare(argument) {
  return argument?.[INNER] ? argument[INNER].existing() : argument;
}

/**
 * @param {Inner} it
 * @param {string} name
 */
function eventOf(it, name) {
  const subscribe = /** @type {NonNullable<Type["events"]>} */ (it.type.events)[name];
  return {
    /** @param {Function} handler */
    add(handler) {
      let end = () => {};
      it.context.enqueue(() => {
        end = subscribe(it.resolve(), it.context.host, handler);
      });
      return { context: it.context, remove: () => it.context.enqueue(() => end()) };
    },
  };
}

/**
 * @param {Inner} it
 * @param {string | string[] | Record<string, any> | undefined} what
 */
function queueLoad(it, what) {
  for (const path of loadPaths(what)) it.context.enqueue(() => it.load(path));
  return it.proxy;
}

/**
 * @param {string | string[] | Record<string, any> | undefined} what
 * @returns {string[]}
 */
function loadPaths(what) {
  if (what === undefined) return [""];
  const paths =
    typeof what === "string" ? what.split(",") : Array.isArray(what) ? what : Object.keys(what);
  return paths.map((path) => path.trim());
}

/**
 * @param {Type} type
 * @param {string} name
 */
function notLoaded(type, name) {
  return hostError(
    "PropertyNotLoaded",
    `${type.name}.${name} is not available: call load("${name}") and await context.sync() first.`,
  );
}

/** The requests of one batch, run in their order by `sync`. */
export class RequestContext {
  /** @type {(() => void)[]} */
  #queue = [];

  trackedObjects = { add() {}, remove() {} };

  /**
   * @param {any} host
   * @param {Type} workbook
   * @param {Type} application
   */
  constructor(host, workbook, application) {
    this.host = host;
    this.workbook = this.root(workbook);
    this.application = this.root(application);
  }

  /** @param {Type} type */
  root(type) {
    return makeProxy(new Inner(this, type, () => this.host.store));
  }

  /** @param {() => void} operation */
  enqueue(operation) {
    this.#queue.push(operation);
  }

  async sync() {
    await new Promise((resolve) => setTimeout(resolve, 0)); // the host is another process
    this.host.beforeSync();
    const operations = this.#queue;
    this.#queue = [];
    for (const operation of operations) operation();
    this.host.afterSync();
  }
}
