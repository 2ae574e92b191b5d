// Grafana's transformation "partitionByValues", which lies in its application and not in its library.
"use strict";

const { map } = require("rxjs");

/** The first frame, split into one for each value of the fields `options.fields`, which are left out. */
function partition(data, frame, { fields, keepFields = false, naming = {} }) {
  const given = new Map(frame.fields.map((field) => [field, calledByData(field)]));
  const plain = frame.fields.map((field) => ({ ...field, ...unnamed(field, given.get(field)) }));
  const keys = plain.filter((field) => fields.includes(field.name));
  if (keys.length === 0) return [frame];
  const frames = [...rowsByValue(keys, frame.length)].map(([value, rows]) => {
    const labels = naming.asLabels === false ? {} :
      Object.fromEntries(keys.map((field) => [field.name, String(field.values[rows[0]])]));
    return {
      name: naming.asLabels === false ? value : frame.name, meta: frame.meta, length: rows.length,
      fields: plain.filter((field) => keepFields || !keys.includes(field)).map((field) => ({
        ...field, config: { ...field.config }, state: {}, labels: { ...field.labels, ...labels },
        values: rows.map((row) => field.values[row]),
      })),
    };
  });
  return renamed(data, frames, new Set([...given.values()].filter(Boolean)));
}

function calledByData(field) {
  return field.config.displayNameFromDS ?? field.config.displayName;
}

function unnamed(field, called) {
  const { displayName: _, displayNameFromDS: __, ...config } = field.config;
  return { name: called ?? field.name, config };
}

function rowsByValue(keys, length) {
  const found = new Map();
  for (let row = 0; row < length; row++) {
    const value = keys.map((field) => field.values[row]).join(" ");
    found.set(value, [...(found.get(value) ?? []), row]);
  }
  return found;
}

/** A field that had a name of its own gets one that tells it from those of the other frames. */
function renamed(data, frames, names) {
  data.cacheFieldDisplayNames(frames);
  for (const field of frames.flatMap((frame) => frame.fields)) {
    if (names.has(field.name)) field.config.displayName = field.state.displayName;
  }
  return frames;
}

/** For the registry of transformations. */
module.exports = (data) => ({
  id: "partitionByValues", name: "Partition by values", defaultOptions: {},
  operator: (options) => (source) =>
    source.pipe(map((frames) => (frames.length ? partition(data, frames[0], options) : frames))),
});
