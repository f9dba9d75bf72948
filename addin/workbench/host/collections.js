// Collections that differ only in what they hold: getItem, getItemAt, getItemOrNullObject, getCount.

import { NULL } from "./client_objects.js";
import { hostError } from "./errors.js";

/** @typedef {import("./client_objects.js").Type} Type */

/**
 * @param {string} name
 * @param {() => Type} of type of an item
 * @param {(target: any, host: any) => any[]} list its records, which have a `name`
 * @param {Partial<Type>} [more]
 * @returns {Type}
 */
export function collection(name, of, list, more = {}) {
  const find = (/** @type {any} */ target, /** @type {any} */ key, /** @type {any} */ host) =>
    list(target, host).find(
      (item) => item.name.toLowerCase() === String(key).toLowerCase() || item.id === key,
    );
  return {
    name,
    items: { of, list },
    ...more,
    read: { count: (target, host) => list(target, host).length, ...more.read },
    methods: {
      getItem: {
        returns: of,
        run: (target, [key], host) => {
          const item = find(target, key, host);
          if (!item) throw hostError("ItemNotFound", `${name} has no '${key}'.`);
          return item;
        },
      },
      getItemOrNullObject: {
        returns: of,
        run: (target, [key], host) => find(target, key, host) ?? NULL,
      },
      getItemAt: {
        returns: of,
        run: (target, [index], host) => {
          const item = list(target, host)[index];
          if (!item) throw hostError("ItemNotFound", `${name} has no item ${index}.`);
          return item;
        },
      },
      ...more.methods,
    },
  };
}

/**
 * Readers and writers of a record's own fields.
 *
 * @param {string[]} readable
 * @param {string[]} [writable]
 */
export function fields(readable, writable = []) {
  return {
    read: Object.fromEntries(
      [...readable, ...writable].map((key) => [key, (/** @type {any} */ record) => record[key]]),
    ),
    write: Object.fromEntries(
      writable.map((key) => [
        key,
        (/** @type {any} */ record, /** @type {any} */ value) => void (record[key] = value),
      ]),
    ),
  };
}

/**
 * @param {any[]} records
 * @param {any} record
 */
export function remove(records, record) {
  records.splice(records.indexOf(record), 1);
}
