// A token of Microsoft Entra ID: had silently where Office knows the user, renewed before it ends,
// and kept in memory only.

/** Milliseconds before its end at which a token is renewed. */
const EARLY = 5 * 60_000;
/** Milliseconds after which a renewal that failed is tried again. */
const AGAIN = 60_000;

/**
 * What is used of MSAL's application.
 *
 * @typedef {object} App
 * @property {(request: object) => Promise<Granted>} acquireTokenSilent
 * @property {(request: object) => Promise<Granted>} acquireTokenPopup
 *
 * @typedef {{accessToken: string, expiresOn: Date | null, account?: any}} Granted
 */

export class Tokens {
  /** @type {string} the token, empty when not signed in */
  token = "";
  #ends = 0;
  #account = /** @type {any} */ (undefined);
  #left = false; // the user signed out: nobody is signed in again without being asked
  /** @type {Promise<boolean> | null} */
  #renewing = null;
  #timer = /** @type {any} */ (0);

  /**
   * @param {object} options
   * @param {App} options.app
   * @param {string} options.scope
   * @param {() => number} [options.now] milliseconds
   * @param {(work: () => void, ms: number) => any} [options.later]
   */
  constructor({ app, scope, now = Date.now, later = (work, ms) => setTimeout(work, ms) }) {
    this.app = app;
    this.scopes = [scope];
    this.now = now;
    this.later = later;
  }

  /** @returns {Promise<string>} a token that is good for a while, empty when there is none */
  async fresh() {
    if (this.token && this.now() > this.#ends - EARLY) await this.renew();
    return this.token;
  }

  /**
   * Have a token without asking the user; of many that want one at once, one asks.
   *
   * @returns {Promise<boolean>} whether there is one
   */
  renew() {
    if (this.#left) return Promise.resolve(false);
    this.#renewing ??= this.#take(() =>
      this.app.acquireTokenSilent({ scopes: this.scopes, account: this.#account }),
    ).finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  /**
   * Let the user sign in; only on a click, as a window may open.
   *
   * @returns {Promise<boolean>} whether they did
   */
  ask() {
    this.#left = false;
    return this.#take(() => this.app.acquireTokenPopup({ scopes: this.scopes }));
  }

  /** Forget the token and whose it was, until somebody asks to sign in. */
  forget() {
    this.#left = true;
    this.token = "";
    this.#account = undefined;
    clearTimeout(this.#timer);
  }

  /** @param {() => Promise<Granted>} acquire */
  async #take(acquire) {
    try {
      const granted = await acquire();
      if (this.#left) return false; // signed out meanwhile
      this.token = granted.accessToken;
      this.#account = granted.account ?? this.#account;
      this.#ends = granted.expiresOn?.getTime() ?? this.now();
      this.#wake(Math.max(AGAIN, this.#ends - EARLY - this.now()));
      return true;
    } catch (error) {
      console.warn("Tilt: no token from Microsoft.", error?.errorCode ?? error?.name); // no details
      if (this.#left || this.now() >= this.#ends) this.token = "";
      else this.#wake(AGAIN);
      return false;
    }
  }

  /** @param {number} ms */
  #wake(ms) {
    clearTimeout(this.#timer);
    this.#timer = this.later(() => void this.renew(), ms);
  }
}
