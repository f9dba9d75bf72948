// Whether the server answers, and whether it knows us: told by every request, shown by the pane.

import { credential } from "./session.js";

/** @typedef {"connecting" | "online" | "busy" | "offline" | "signed-out"} State */

class Connection extends EventTarget {
  /** @type {State} */
  state = "connecting";

  /** Whether what stands in the sheet has to wait for somebody to sign in. */
  needsSignIn = false;

  /**
   * Make a request, and learn from its answer or from there being none. An answer to somebody who has
   * signed in or out since then says nothing about who we are now; one that anybody gets tells that
   * the server is there, and nothing about us.
   *
   * @template {{status: number}} T
   * @param {() => Promise<T>} request
   * @param {{open?: boolean}} [options] open: is answered before anybody signs in
   * @returns {Promise<T>}
   */
  async watch(request, { open = false } = {}) {
    const asked = credential();
    const told = (/** @type {number} */ status) => {
      if (asked === credential()) this.#note(status, open);
    };
    try {
      const reply = await request();
      told(reply.status);
      return reply;
    } catch (error) {
      if (error.name !== "AbortError") told(error.response?.status ?? 0);
      throw error;
    }
  }

  /** Somebody signed out, which needs no answer of the server. */
  leave() {
    this.#know(false);
  }

  /**
   * @param {number} status 0 when no answer came
   * @param {boolean} open
   */
  #note(status, open) {
    if (status === 0 || status === 502 || status === 504) this.#set("offline");
    else if (status === 503 || status === 429) this.#set("busy");
    else if (!open) this.#know(status !== 401);
    else if (this.state === "offline" || this.state === "busy") this.#know(!this.needsSignIn);
  }

  /** @param {boolean} known whether the server knows us */
  #know(known) {
    this.needsSignIn = !known;
    this.#set(known ? "online" : "signed-out");
  }

  /** @param {State} state */
  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();
