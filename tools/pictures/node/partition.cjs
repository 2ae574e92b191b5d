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

/** As the library's registry takes it. `map`: of rxjs. */
const partitionByValues = (map) => ({
  id: "partitionByValues", name: "partitionByValues", defaultOptions: {},
  operator: (options) => (source) => source.pipe(map((frames) => (frames.length ? parted(frames[0], options) : frames))),
});

module.exports = { partitionByValues };
