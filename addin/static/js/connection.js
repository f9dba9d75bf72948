// Whether the server answers, and whether it knows us: told by every request, shown by the pane.

/** @typedef {"connecting" | "online" | "busy" | "offline" | "signed-out"} State */

class Connection extends EventTarget {
  /** @type {State} */
  state = "connecting";

  /** @param {number} status HTTP status of an answer, 0 when none came */
  note(status) {
    if (status === 401) this.#set("signed-out");
    else if (status === 0 || status === 502 || status === 504) this.#set("offline");
    else if (status === 503 || status === 429) this.#set("busy");
    else this.#set("online");
  }

  /** @param {State} state */
  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("change"));
  }
}

export const connection = new Connection();
