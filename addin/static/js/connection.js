// Whether the server answers, and whether it knows us: told by every request, shown by the pane.

import { credential } from "./session.js";

/** @typedef {"connecting" | "online" | "busy" | "offline" | "signed-out"} State */

class Connection extends EventTarget {
  /** @type {State} */
  state = "connecting";

  /** Whether what stands in the sheet has to wait for somebody to sign in. */
  needsSignIn = false;

  /**
   * A request begins; its answer's status is told to what this returns, 0 when none came. An answer
   * to somebody who has signed in or out since then says nothing about who we are now.
   *
   * @returns {(status: number) => void}
   */
  asking() {
    const asked = credential();
    return (status) => {
      if (asked === credential()) this.#note(status);
    };
  }

  /** Somebody signed out, which needs no answer of the server. */
  leave() {
    this.#note(401);
  }

  /** @param {number} status */
  #note(status) {
    if (status === 0 || status === 502 || status === 504) this.#set("offline");
    else if (status === 503 || status === 429) this.#set("busy");
    else {
      this.needsSignIn = status === 401;
      this.#set(this.needsSignIn ? "signed-out" : "online");
    }
  }

  /** @param {State} state */
  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();
