// Stands where the pane's page loads Microsoft's office.js: the host is the workbench's around it.

(() => {
  const page = /** @type {any} */ (window);
  const host = /** @type {any} */ (window.parent).tiltHost;
  if (!host) throw new Error("The pane's page belongs into the workbench: open /workbench.");
  const info = { host: "Excel", platform: "PC" };
  page.Office = {
    onReady(/** @type {any} */ callback) {
      const ready = Promise.resolve(info);
      if (callback) ready.then(callback);
      return ready;
    },
    ...host.office(),
  };
  page.Excel = host.excel();
  page.CustomFunctions = host.customFunctions();
})();
