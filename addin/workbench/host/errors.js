// Errors as Office.js raises them: an Error with a `code` that callers look at.

/**
 * @param {string} code e.g. "ItemNotFound", "InvalidArgument", "PropertyNotLoaded"
 * @param {string} message
 */
export function hostError(code, message) {
  const error = new Error(message);
  error.name = "RichApi.Error";
  return Object.assign(error, { code, debugInfo: { code, message } });
}

/**
 * The add-in used something this host does not have. Loud, because a silent stand-in would let a
 * test pass that real Excel would fail.
 *
 * @param {string} member
 */
export function notInHost(member) {
  return hostError("NotInHost", `${member} is not part of this Office host.`);
}
