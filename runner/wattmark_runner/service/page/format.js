// Numbers for people. A missing value is a dash, never a zero.

export const MISSING = "–";
const PREFIXES = [[1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""], [1e-3, "m"], [1e-6, "µ"], [1e-9, "n"], [1e-12, "p"]];

export function plain(value, digits = 3) {
  if (value === null || value === undefined) return MISSING;
  if (value !== 0 && (Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4)) return value.toExponential(digits - 1);
  return String(Number(value.toPrecision(digits)));
}

export function si(value, unit) {
  if (value === null || value === undefined) return MISSING;
  if (value === 0) return `0 ${unit}`.trim();
  const [scale, prefix] = PREFIXES.find(([least]) => Math.abs(value) >= least) ?? PREFIXES.at(-1);
  return `${Number((value / scale).toPrecision(3))} ${prefix}${unit}`.trim();
}

export function between(low, high, unit) {
  return low === null || low === undefined || high === null || high === undefined ? MISSING : `${si(low, unit)} to ${si(high, unit)}`;
}

export function percent(value) {
  return value === null || value === undefined ? MISSING : `${(100 * value).toFixed(1)} %`;
}

export function mwh(joules) {
  return joules === null || joules === undefined ? MISSING : `${plain(joules / 3.6)} mWh`;
}

// The host, and of the GPU in use as much of its UUID as CUDA needs to know it.
export function place(score) {
  return `${score.host} ${score.gpu.slice(0, 12)}`.trim();
}

export function moment(text) {
  return text === null || text === undefined ? MISSING : new Date(text).toLocaleString();
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// The method as it is to be said: an estimate is never whispered.
export function method(name) {
  return name === "estimated" ? "ESTIMATED" : name ?? MISSING;
}

const MARKS = { valid: "✓", warned: "!", invalid: "✗" };
export function verdict(name) {
  return `${MARKS[name] ?? ""} ${name}`.trim();
}
