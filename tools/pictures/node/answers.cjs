// InfluxQL's answers as frames, as the back end of Grafana 10.2 and later makes them.
"use strict";

/** The frames of one query's answer: `result` is one entry of InfluxDB's `results`, in ms. */
function framesOf(result, target) {
  const series = result.series ?? [];
  if (series.length === 0) return [];
  const frames = target.resultFormat === "table" ? [tableOf(series)] : series.flatMap((row) => linesOf(row, target));
  return frames.map((frame) => ({ ...frame, refId: target.refId ?? "A" }));
}

/** One frame for all series: time, tags, other columns. */
function tableOf(series) {
  const [first] = series;
  const rows = series.flatMap((row) => row.values.map((values) => ({ tags: row.tags ?? {}, values })));
  const timed = first.columns[0] === "time";
  const column = (name, index) => field(name, rows.map((row) => row.values[index] ?? null), { displayNameFromDS: name });
  const tags = Object.keys(first.tags ?? {}).map((key) =>
    ({ name: key, type: "string", config: { displayNameFromDS: key }, values: rows.map((row) => row.tags[key] ?? "") }));
  const head = timed ? timeOf(rows.map((row) => row.values)) : column(first.columns[0], 0);
  const rest = first.columns.slice(1).map((name, index) => column(name, index + 1));
  return { name: first.name, fields: [head, ...tags, ...rest], length: rows.length };
}

/** One frame for each column of one series, called by the query's alias. */
function linesOf(row, target) {
  if (!row.columns.some((name) => name.toLowerCase() === "time")) {
    const values = row.values.map((each) => String(each[row.columns.length > 1 ? 1 : 0]));
    return [{ name: row.name, fields: [{ name: "Value", type: "string", config: {}, values }], length: values.length }];
  }
  return row.columns.flatMap((name, index) => {
    if (name === "time") return [];
    const called = legend(row, name, target);
    const values = field("Value", row.values.map((each) => each[index]), { displayNameFromDS: called });
    return [{ name: called, fields: [timeOf(row.values), { ...values, labels: row.tags }], length: row.values.length }];
  });
}

function timeOf(rows) {
  return { name: "Time", type: "time", config: {}, values: rows.map((row) => row[0]) };
}

/** A column's type is that of its first value; one without any is of numbers. */
function field(name, values, config) {
  const known = values.find((value) => value !== null && value !== undefined);
  const type = typeof known === "string" ? "string" : typeof known === "boolean" ? "boolean" : "number";
  return { name, type, config, values: values.map((value) => (typeof value === type ? value : null)) };
}

function legend(row, column, target) {
  const tags = row.tags ?? {};
  if (!target.alias) {
    const labels = Object.entries(tags).map(([key, value]) => `${key}: ${value}`).join(", ");
    return `${row.name}.${column}${labels ? ` { ${labels} }` : ""}`;
  }
  const parts = row.name.split(".");
  return target.alias.replace(/\$(\w+)|\[\[([\s\S]+?)\]\]/g, (whole, plain, bracketed) => {
    const name = plain ?? bracketed;
    if (name === "m" || name === "measurement") return row.name;
    if (name === "col") return column;
    if (/^\d+$/.test(name) && Number(name) < parts.length) return parts[Number(name)];
    return name.startsWith("tag_") ? (tags[name.slice(4)] ?? whole) : whole;
  });
}

module.exports = { framesOf };
