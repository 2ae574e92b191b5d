// What a panel shows of its answers: frames after transformations and overrides, with texts, colours and links.
"use strict";

const { firstValueFrom } = require("rxjs");

const { framesOf } = require("./answers.cjs");
const { data, theme, defaultsOf, propertiesOf, checkTransformations } = require("./library.cjs");
const { replacer } = require("./words.cjs");

const SINGLE = new Set(["stat", "gauge", "bargauge"]);

/** `answers`: an entry of InfluxDB's `results` (epoch=ms) for each target, in their order; or `frames` as they are. */
async function shown({ panel, answers, frames, range, variables = {}, timeZone = "utc" }) {
  checkTransformations(panel);
  const replaceVariables = replacer(variables, range);
  const targets = panel.targets ?? [];
  const given = frames ?? (answers ?? []).flatMap((result, index) => framesOf(result, targets[index]));
  const before = given.map((frame) => data.toDataFrame(frame));
  const context = { interpolate: replaceVariables };
  const after = await firstValueFrom(data.transformDataFrame(panel.transformations ?? [], before, context));
  const source = { ...panel.fieldConfig, defaults: defaultsOf(panel), overrides: panel.fieldConfig?.overrides ?? [] };
  const registry = propertiesOf(panel);
  const done = data.applyFieldOverrides({
    data: after, fieldConfig: source, fieldConfigRegistry: registry, replaceVariables, theme, timeZone,
  });
  data.cacheFieldDisplayNames?.(done);
  return {
    frames: done.map((frame) => ({
      name: frame.name ?? "", refId: frame.refId ?? "", length: frame.length,
      fields: frame.fields.map((field) => fieldOf(field, frame, done, panel)),
    })),
    values: SINGLE.has(panel.type) ? valuesOf(panel, source, after, replaceVariables, timeZone) : [],
  };
}

function fieldOf(field, frame, frames, panel) {
  const values = Array.from(field.values);
  const displayed = values.map((value) => field.display(value));
  return {
    name: field.name, title: data.getFieldDisplayName(field, frame, frames), type: field.type,
    labels: field.labels ?? {}, custom: field.config.custom ?? {}, config: plain(field.config), values,
    color: data.getFieldSeriesColor(field, theme).color,
    nulls: values.flatMap((value, row) => (value === null ? [row] : [])),
    texts: displayed.map((each) => data.formattedValueToString(each)),
    colors: displayed.map((each) => each.color ?? null),
    links: field.config.links?.length ? values.map((_, row) => linksOf(field, { valueRowIndex: row })) : [],
    calcs: calcsOf(field, panel),
  };
}

function plain({ unit, decimals, min, max, noValue, thresholds, mappings, color }) {
  return { unit, decimals, min, max, noValue, thresholds, mappings, color };
}

function linksOf(field, which) {
  return field.getLinks(which).map(({ title, href, target }) => ({ title, href, target: target ?? "" }));
}

/** What a legend's table says of a series. */
function calcsOf(field, panel) {
  const calcs = panel.options?.legend?.calcs ?? [];
  if (calcs.length === 0 || field.type !== "number") return {};
  const reduced = data.reduceField({ field, reducers: calcs });
  return Object.fromEntries(calcs.map((id) => {
    const { name } = data.fieldReducers.get(id);
    const unitless = data.fieldReducers.get(id).preservesUnits === false;
    const text = unitless ? `${reduced[id]}` : data.formattedValueToString(field.display(reduced[id]));
    return [name, text];
  }));
}

/** The numbers of a stat, a gauge or a bar gauge. */
function valuesOf(panel, fieldConfig, frames, replaceVariables, timeZone) {
  const reduceOptions = { calcs: ["lastNotNull"], fields: "", values: false, ...panel.options?.reduceOptions };
  const withDisplay = data.applyFieldOverrides({
    data: frames, fieldConfig, fieldConfigRegistry: propertiesOf(panel), replaceVariables, theme, timeZone,
  });
  const found = data.getFieldDisplayValues({
    fieldConfig, reduceOptions, replaceVariables, theme, data: withDisplay, timeZone, sparkline: true,
  });
  return found.map(({ display, field, sparkline, getLinks, hasLinks }) => ({
    title: display.title ?? "", text: data.formattedValueToString(display), color: display.color ?? null,
    numeric: Number.isNaN(display.numeric) ? null : display.numeric, percent: display.percent ?? null,
    min: field.min ?? null, max: field.max ?? null, sparkline: sparkline ? Array.from(sparkline.y.values) : [],
    links: hasLinks ? getLinks({}).map(({ title, href }) => ({ title, href })) : [],
  }));
}

/** Numbers as a field with this configuration shows them beside an axis. */
function texts({ config, values, decimals }) {
  const field = { name: "value", type: "number", config: config ?? {}, values };
  const display = data.getDisplayProcessor({ field, theme, timeZone: "utc" });
  return values.map((value) => data.formattedValueToString(display(value, decimals ?? undefined)));
}

/** Texts with their variables filled in. */
function fill({ texts: given, variables, range, inQueries }) {
  return given.map((text) => replacer(variables, range, inQueries)(text));
}

/** How long a point's interval is where `points` fit into the time; not shorter than `least`, as in "10s". */
function interval({ range, points, least }) {
  const { from, to } = range;
  const found = data.rangeUtil.calculateInterval({ from: data.dateTime(from), to: data.dateTime(to) }, points, least);
  return { text: found.interval, ms: found.intervalMs };
}

/** Times such as "now-6h" and "now/d" as ms, of the clock or of `now`. */
function span({ from, to, timeZone = "utc" }) {
  const at = (text, roundUp) =>
    (/^\d+$/.test(text) ? Number(text) : data.dateMath.parse(text, roundUp, timeZone).valueOf());
  return { from: at(String(from), false), to: at(String(to), true) };
}

module.exports = { shown, texts, fill, interval, span };
