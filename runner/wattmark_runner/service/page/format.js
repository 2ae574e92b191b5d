// What only the browser knows: progress under way and the viewer's time zone. Every other number
// comes from the runner as text. Each function has its twin in wattmark_core/figures.py.

export const MISSING = "–";

export function share(ratio) {
  return ratio === null || ratio === undefined ? MISSING : `${Math.floor(100 * ratio + 0.5)} %`;
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  const whole = Math.max(0, Math.floor(seconds + 0.5));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

// Unix ms in the viewer's zone, without naming it: 2026-11-27 23:12:18
export function moment(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return MISSING;
  const time = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock(time)}`;
}

// The time of day: 23:12:18
export function clock(milliseconds) {
  const time = new Date(milliseconds);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
