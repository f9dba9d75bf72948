// The box that says what a button does, or why a cell shows an error.

const WIDEST = 340;
const GAP = 6;

/**
 * @param {HTMLElement} tip
 * @param {{title: string, words: string, left: number, top: number}} what
 */
export function showTip(tip, { title, words, left, top }) {
  const strong = document.createElement("strong");
  strong.textContent = title;
  tip.replaceChildren(strong, words);
  tip.hidden = false;
  const { height } = tip.getBoundingClientRect();
  const fits = top + GAP + height < window.innerHeight;
  tip.style.left = `${Math.max(0, Math.min(left, window.innerWidth - WIDEST))}px`;
  tip.style.top = `${fits ? top + GAP : Math.max(0, top - height - 3 * GAP)}px`;
}

/**
 * A tip that follows the mouse over an element.
 *
 * @param {HTMLElement} tip
 * @param {HTMLElement} over
 * @returns {(title: string, words: string) => void} shows words beside the mouse; none hides it
 */
export function tipAtMouse(tip, over) {
  let [x, y] = [0, 0];
  over.addEventListener("mousemove", (event) => ([x, y] = [event.clientX, event.clientY]), true);
  over.addEventListener("mouseleave", () => (tip.hidden = true));
  over.addEventListener("mousedown", () => (tip.hidden = true), true);
  return (title, words) => {
    if (words) showTip(tip, { title, words, left: x + 2 * GAP, top: y + 2 * GAP });
    else tip.hidden = true;
  };
}
