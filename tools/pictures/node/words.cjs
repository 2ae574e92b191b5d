// Variables in texts, queries and links: $name, ${name:format}, [[name]], ${__data.fields…} and their like.
"use strict";

const { data, lodash } = require("./library.cjs");

const PATTERN = /\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}/g;
const escapeRegex = (text) => text.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&");
const quoted = (values, mark) => values.map((value) => `${mark}${value}${mark}`).join(",");
const FORMATS = {
  raw: (values) => values.join(","),
  csv: (values) => values.join(","),
  pipe: (values) => values.join("|"),
  text: (values, variable) => variable?.text ?? values.join(" + "),
  glob: (values) => (values.length > 1 ? `{${values.join(",")}}` : values.join("")),
  regex: (values) => {
    const escaped = values.map(escapeRegex);
    return escaped.length > 1 ? `(${escaped.join("|")})` : escaped.join("");
  },
  singlequote: (values) => quoted(values.map((value) => value.replace(/'/g, "\\'")), "'"),
  doublequote: (values) => quoted(values.map((value) => value.replace(/"/g, '\\"')), '"'),
  queryparam: (values, variable, name) =>
    values.map((value) => `var-${name}=${encodeURIComponent(value)}`).join("&"),
  percentencode: (values) => encodeURIComponent(FORMATS.glob(values)),
  uriencode: (values) => encodeURI(FORMATS.glob(values)),
};

/** A function as Grafana's `replaceVariables`. `variables`: name to `{values, text, all}`; `range`: from, to, in ms. */
function replacer(variables, range, inQueries = false) {
  return (text, scoped = {}, format) =>
    String(text ?? "").replace(PATTERN, (whole, plain, bracketed, asked, braced, path, wanted) => {
      const name = plain ?? bracketed ?? braced;
      const value = valueOf(name, path, scoped, variables, range);
      if (value === undefined) return whole;
      const how = asked ?? wanted ?? format;
      if (value.all) return how === "text" ? "All" : how === "queryparam" ? `var-${name}=$__all` : value.all;
      if (!how && inQueries) return value.several ? FORMATS.regex(value.values) : value.values.join(",");
      return (FORMATS[how] ?? FORMATS.glob)(value.values, value, name);
    });
}

function valueOf(name, path, scoped, variables, range) {
  const single = (value) => (value === undefined ? undefined : { values: [String(value)] });
  if (name === "__from") return single(range.from);
  if (name === "__to") return single(range.to);
  if (name === "__url_time_range") return single(`from=${range.from}&to=${range.to}`);
  const context = scoped.__dataContext?.value;
  if (context && name.startsWith("__")) return single(macro(name, path, context));
  const bound = scoped[name];
  return bound ? { values: [].concat(bound.value).map(String), text: bound.text } : variables[name];
}

/** What a link or a name may say of the value it belongs to. */
function macro(name, path, { frame, field, rowIndex, calculatedValue, data: frames }) {
  const at = (object) => (path ? lodash.property(path)(object) : object);
  if (name === "__data") {
    if (rowIndex === undefined) return undefined;
    const fields = data.getFieldDisplayValuesProxy({ frame, rowIndex });
    return at({ name: frame.name, refId: frame.refId, fields }) ?? "";
  }
  if (name === "__series") return data.getFrameDisplayName(frame);
  if (name === "__field") {
    return at({ name: data.getFieldDisplayName(field, frame, frames), labels: field.labels ?? {} }) ?? "";
  }
  if (name !== "__value") return undefined;
  if (path === "time") return frame.fields.find((each) => each.type === "time")?.values[rowIndex];
  const raw = rowIndex === undefined ? calculatedValue?.numeric : field.values[rowIndex];
  if (path === "raw") return raw;
  const shown = field.display(raw);
  return path === "numeric" ? shown.numeric : data.formattedValueToString(shown);
}

module.exports = { replacer };
