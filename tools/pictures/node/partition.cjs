// "Partition by values", which Grafana registers beside its library: a frame for each value of some columns.
"use strict";

/** One frame's rows, parted. `naming.asLabels` false: the values are the new frame's name, else they are labels. */
function parted(frame, { fields = [], keepFields = false, naming = {} }) {
  const keys = frame.fields.filter((each) => fields.includes(each.name));
  if (!keys.length) return [frame];
  const groups = new Map();
  for (let row = 0; row < frame.length; row++) {
    const values = keys.map((key) => key.values[row]);
    const name = JSON.stringify(values);
    if (!groups.has(name)) groups.set(name, { values, rows: [] });
    groups.get(name).rows.push(row);
  }
  const kept = keepFields ? frame.fields : frame.fields.filter((each) => !keys.includes(each));
  return [...groups.values()].map(({ values, rows }) => {
    const labels = Object.fromEntries(keys.map((key, n) => [key.name, String(values[n])]));
    const asLabels = naming.asLabels ?? true;
    return {
      name: asLabels ? frame.name : values.join(" "), refId: frame.refId, meta: frame.meta, length: rows.length,
      fields: kept.map(({ state, ...field }) => ({
        ...field, config: { ...field.config }, labels: asLabels ? { ...field.labels, ...labels } : field.labels,
        values: rows.map((row) => field.values[row]),
      })),
    };
  });
}

/** The frame with what its columns are called as their names: a name of its own is the same in each new frame. */
function named(frame) {
  const fields = frame.fields.map((field) => {
    const { displayName, displayNameFromDS, ...config } = field.config;
    return { ...field, name: displayNameFromDS ?? displayName ?? field.name, config, state: {} };
  });
  const hasOwn = ({ config }) => Boolean(config.displayNameFromDS ?? config.displayName);
  const own = fields.filter((_, n) => hasOwn(frame.fields[n]));
  return { frame: { ...frame, fields }, own: new Set(own.map((field) => field.name)) };
}

/** As the library's registry takes it. Columns that had a name of their own are told apart, as by current releases:
 * 10.4 leaves all with the same. `map`: of rxjs. `data`: the library. */
const partitionByValues = (map, data) => ({
  id: "partitionByValues", name: "partitionByValues", defaultOptions: {},
  operator: (options) => (source) => source.pipe(map((frames) => {
    if (!frames.length) return frames;
    const { frame, own } = named(frames[0]);
    const made = parted(frame, options);
    data.cacheFieldDisplayNames(made);
    for (const field of made.flatMap((each) => each.fields)) {
      if (own.has(field.name)) field.config.displayName = field.state.displayName;
    }
    return made;
  })),
});

module.exports = { partitionByValues };
