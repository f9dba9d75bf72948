// Stands where a page loads Microsoft's office.js, when there is no Excel around it.
//
// A classic script, because the page's next script asks for `Office.onReady` at once. The host itself
// is a module: it is written into the page at this very place, so that it runs before every later
// module and deferred script, and it fills the namespaces in.

(() => {
  /** @type {(info: {host: string, platform: string}) => void} */
  let ready = () => {};
  const whenReady = new Promise((resolve) => {
    ready = resolve;
  });
  const page = /** @type {any} */ (window);
  page.Office = {
    onReady(/** @type {any} */ callback) {
      if (callback) whenReady.then(callback);
      return whenReady;
    },
  };
  page.officeIsReady = ready;
  const source = /** @type {HTMLScriptElement} */ (document.currentScript).src;
  const module = new URL("page.js", source).href;
  document.write(`<script type="module" src="${module}"></script>`);
})();
