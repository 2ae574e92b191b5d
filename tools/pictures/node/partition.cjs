// "Partition by values", which Grafana's application has and its library lacks: a frame for each value of columns.
"use strict";

const { map } = require("rxjs");

/** The transformation, for Grafana's registry; `data` is the library. */
function partitionByValues(data) {
  const split = (frames, options) => (frames.length === 0 ? frames : parts(data, frames[0], options));
  return {
    id: "partitionByValues", name: "Partition by values", defaultOptions: {},
    operator: (options) => (source) => source.pipe(map((frames) => split(frames, options))),
  };
}

function parts(data, frame, options) {
  const called = (field) => field.config.displayNameFromDS ?? field.config.displayName;
  const keys = frame.fields.filter((field) => (options.fields ?? []).includes(called(field) ?? field.name));
  if (keys.length === 0) return [frame];
  const kept = options.keepFields ? frame.fields : frame.fields.filter((field) => !keys.includes(field));
  const made = grouped([...Array(frame.length).keys()], keys).map((rows) => {
    const own = keys.map((key) => [called(key) ?? key.name, key.values[rows[0]]]);
    const naming = { asLabels: true, separator1: "=", separator2: " ", ...options.naming };
    const labels = naming.asLabels ? Object.fromEntries(own.map(([name, value]) => [name, String(value)])) : {};
    const name = naming.asLabels ? frame.name : frameName(frame, own, naming);
    return { name, meta: frame.meta, length: rows.length, fields: kept.map((field) => partOf(field, rows, labels)) };
  });
  nameApart(data, made, kept.map(called));
  return made;
}

/** Rows with equal keys, in the order in which each key's values appear. */
function grouped(rows, [first, ...others]) {
  if (!first) return [rows];
  const found = new Map();
  for (const row of rows) {
    const value = first.values[row];
    found.set(value, [...(found.get(value) ?? []), row]);
  }
  return [...found.values()].flatMap((some) => grouped(some, others));
}

function frameName(frame, own, { withNames, separator1, separator2, append }) {
  const name = own.map(([key, value]) => (withNames ? `${key}${separator1}${value}` : value)).join(separator2);
  return append && frame.name ? `${frame.name} ${name}` : name;
}

function partOf(field, rows, labels) {
  const values = rows.map((row) => field.values[row]);
  return { name: field.name, type: field.type, config: { ...field.config }, labels: { ...field.labels, ...labels }, values };
}

/** Columns that a data source or an override had named are told apart by their frames or labels. */
function nameApart(data, frames, names) {
  const bare = frames.map((frame) => ({
    ...frame,
    fields: frame.fields.map((field, n) =>
      ({ ...field, name: names[n] ?? field.name, config: { ...field.config, displayName: undefined, displayNameFromDS: undefined } })),
  }));
  frames.forEach((frame, at) => frame.fields.forEach((field, n) => {
    if (names[n] === undefined) return;
    const displayName = data.getFieldDisplayName(bare[at].fields[n], bare[at], bare);
    field.config = { ...field.config, displayName, displayNameFromDS: undefined };
  }));
}

module.exports = { partitionByValues };
