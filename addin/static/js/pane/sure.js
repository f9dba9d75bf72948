// A button that asks before it does something that cannot be taken back: the first press asks, the
// second one does it; looking elsewhere takes the question back.

/**
 * @param {HTMLButtonElement} button
 * @param {string} question what the button says after the first press
 * @param {() => Promise<void>} act
 */
export function askFirst(button, question, act) {
  const words = button.textContent;
  const settle = () => {
    button.removeAttribute("data-sure");
    button.textContent = words;
  };
  button.addEventListener("blur", settle);
  button.addEventListener("click", async () => {
    if (!button.hasAttribute("data-sure")) {
      button.setAttribute("data-sure", "");
      button.textContent = question;
      return;
    }
    settle();
    await act();
  });
}
