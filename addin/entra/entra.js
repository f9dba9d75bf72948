// Signing in with Microsoft Entra ID by the account that Office has (nested app authentication).
// Bundled into static/workbench/dist/entra.js and loaded only where the server asks for it.

import { createNestablePublicClientApplication } from "@azure/msal-browser";

/**
 * Open the application as which Tilt is registered. Tokens stay in memory: neither the browser's
 * storage nor a cookie has them.
 *
 * @param {{client: string, authority: string}} about
 */
export function openApp({ client, authority }) {
  return createNestablePublicClientApplication({
    auth: {
      clientId: client,
      authority,
      knownAuthorities: [new URL(authority).host],
      redirectUri: `${window.location.origin}/taskpane.html`,
    },
    cache: { cacheLocation: "memoryStorage" },
  });
}
