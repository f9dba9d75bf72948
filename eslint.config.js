import js from "@eslint/js";
import globals from "globals";

const shared = {
  eqeqeq: "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-implicit-globals": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
  "no-shadow": "error",
  "max-lines": ["error", 400],
};

export default [
  { ignores: ["node_modules/", ".venv/", "**/dist/", "build/"] },
  js.configs.recommended,
  { rules: shared },
  {
    files: ["addin/static/**/*.js"],
    languageOptions: {
      globals: {
        ...globals.browser,
        Office: "readonly",
        Excel: "readonly",
        CustomFunctions: "readonly",
      },
    },
  },
  {
    files: ["addin/workbench/**/*.js", "addin/entra/**/*.js"],
    languageOptions: { globals: { ...globals.browser } },
  },
  {
    files: ["tests/**/*.mjs", "server/bench/*.mjs", "eslint.config.js"],
    // What is handed to page.evaluate runs in the page.
    languageOptions: {
      globals: { ...globals.node, window: "readonly", document: "readonly", Excel: "readonly" },
    },
  },
];
