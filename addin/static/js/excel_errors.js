// Errors as Excel shows them: a code in the cell, and a message on hover.

/** @type {Record<string, string>} error of a cell -> its name in CustomFunctions.ErrorCode */
const CODES = { "#VALUE!": "invalidValue", "#N/A": "notAvailable", "#DIV/0!": "divisionByZero" };

/**
 * The result of a failed call, for the shipped code to hand to Excel.
 *
 * A promise that rejects: the shipped `makeServerCall` returns a result without awaiting it, so the
 * rejection reaches Excel as it is, past the code that would turn every error into #VALUE!.
 *
 * @param {string} cell "#VALUE!", "#N/A" or "#DIV/0!"
 * @param {string} message
 */
export function failure(cell, message) {
  const shown = errorValue(cell, message);
  if (Array.isArray(shown)) return shown;
  const failed = Promise.reject(shown);
  failed.catch(() => {}); // adopted later, so not unhandled
  return failed;
}

/**
 * An error as Excel takes it, also from a function that streams.
 *
 * @param {string} cell
 * @param {string} message
 */
export function errorValue(cell, message) {
  if (!Office.context.requirements.isSetSupported("CustomFunctionsRuntime", "1.2")) {
    return [[`${cell} ${message}`]]; // an Excel too old for messages shows the text
  }
  const name = /** @type {keyof typeof CustomFunctions.ErrorCode} */ (
    CODES[cell] ?? CODES["#VALUE!"]
  );
  const code = CustomFunctions.ErrorCode[name];
  // #DIV/0! can carry no message: Excel refuses one.
  return cell === "#DIV/0!"
    ? new CustomFunctions.Error(code)
    : new CustomFunctions.Error(code, message);
}
