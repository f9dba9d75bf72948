// Formulas that the tab Risk puts into a sheet.

import assert from "node:assert/strict";
import { test } from "node:test";

import { call, optionsText, quoted } from "../../../addin/static/js/pane/risk_sheet.js";

test("arguments at the end of a formula that are left out are not written", () => {
  assert.equal(
    call("RISK", ["TiltHoldings", '"beta"', "", "", ""]),
    '=TILT.RISK(TiltHoldings,"beta")',
  );
  assert.equal(call("VAR", ["A1:B3", 0.95, "", ""]), "=TILT.VAR(A1:B3,0.95)");
  assert.equal(call("SUMMARY", ["A1:B3", "", "", '"top=5"']), '=TILT.SUMMARY(A1:B3,,,"top=5")');
});

test("a quotation mark in a name is doubled", () => {
  assert.equal(quoted('My "best" fund'), '"My ""best"" fund"');
});

test("options that are left out are not written", () => {
  assert.equal(optionsText({ others: "zero", universe: "US" }), '"others=zero;universe=US"');
  assert.equal(optionsText({ others: "", universe: "" }), "");
  assert.equal(optionsText({}), "");
});
