// Grafana's library, set up as Grafana does when it starts. Another release: WATTMARK_GRAFANA_DATA=its folder.
"use strict";

const path = require("node:path");

const folder = path.resolve(process.env.WATTMARK_GRAFANA_DATA ?? __dirname);
const load = (name) => require(require.resolve(name, { paths: [folder] }));
const data = loadLibrary();
const lodash = load("lodash");
const { partitionByValues } = require("./partition.cjs");

/** 11 and older read `window` when they are loaded; 12 and newer take a window for a whole browser. */
function loadLibrary() {
  globalThis.navigator ??= { language: "en-US", languages: ["en-US"], platform: "" };
  try {
    return load("@grafana/data");
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    globalThis.window = {};
    return load("@grafana/data");
  } finally {
    globalThis.window ??= {};
  }
}

// "Standard options" of every panel, and what reads the value of an override's property.
const STANDARD = {
  unit: "text", decimals: "any", min: "any", max: "any", fieldMinMax: "any", displayName: "words", noValue: "text",
  thresholds: "any", mappings: "any", links: "any", actions: "any", color: "any", filterable: "any", description: "text",
};
const READERS = {
  any: data.identityOverrideProcessor,
  text: data.stringOverrideProcessor,
  words: data.displayNameOverrideProcessor,
};
const THRESHOLDS = { mode: "absolute", steps: [{ value: -Infinity, color: "green" }, { value: 80, color: "red" }] };
const COLORS = {
  timeseries: "palette-classic", barchart: "palette-classic", xychart: "palette-classic",
  "state-timeline": "continuous-GrYlRd",
};

// 13 calls what it finds in the registry to load it, older releases take it as it is.
const beside = [partitionByValues(load("rxjs").map, data)];
const known = new Map([...Object.values(data.standardTransformers), ...beside].map((each) => [each.id, each]));
const either = (found) => new Proxy(() => found, { get: (_, key) => found[key] });
data.standardTransformersRegistry.setInit(() =>
  [...known].map(([id, found]) => ({ id, name: id, transformation: either(found), editor: () => null })));
data.locationUtil.initialize({
  config: { appSubUrl: "", appUrl: "http://grafana/" },
  getVariablesUrlParams: () => ({}), getTimeRangeForUrl: () => ({}),
});

/** What a panel's kind sets where the panel says nothing. */
function defaultsOf(panel) {
  const own = panel.fieldConfig?.defaults ?? {};
  const thresholds = own.thresholds ?? THRESHOLDS;
  const steps = thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity }));
  return { color: { mode: COLORS[panel.type] ?? "thresholds" }, ...own, thresholds: { ...thresholds, steps } };
}

/** The properties a panel may set: the standard ones and each `custom.*` that it names. */
function propertiesOf(panel) {
  const overrides = (panel.fieldConfig?.overrides ?? []).flatMap((each) => each.properties);
  const named = overrides.map((each) => each.id).filter((id) => id.startsWith("custom."));
  const inherited = Object.keys(panel.fieldConfig?.defaults?.custom ?? {}).map((key) => `custom.${key}`);
  const item = (id, reader, isCustom) =>
    ({ id, path: id.replace(/^custom\./, ""), name: id, isCustom, process: reader, shouldApply: () => true });
  const standard = Object.entries(STANDARD).map(([id, reader]) => item(id, READERS[reader], false));
  const custom = [...new Set([...named, ...inherited])].map((id) => item(id, READERS.any, true));
  return new data.Registry(() => [...standard, ...custom]);
}

/** Transformations that the library lacks are an error: Grafana would leave the frames as they are. */
function checkTransformations(panel) {
  for (const { id } of panel.transformations ?? []) {
    if (!data.standardTransformersRegistry.getIfExists(id)) throw new Error(`no transformation is called ${id}`);
  }
}

const theme = data.createTheme({ colors: { mode: "dark" } });

module.exports = { data, lodash, theme, defaultsOf, propertiesOf, checkTransformations };
