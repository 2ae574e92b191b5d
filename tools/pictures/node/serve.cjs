// One request a line from standard input, one answer a line: {"op": …} -> {"answer": …} or {"error": …}.
"use strict";

const readline = require("node:readline");

const { data } = require("./library.cjs");
const { shown, texts, fill, interval, span } = require("./shown.cjs");

const OPERATIONS = {
  shown: ({ panels }) => Promise.all(panels.map((each) =>
    shown(each).catch((error) => ({ error: String(error.message), frames: [], values: [] })))),
  texts,
  fill,
  interval,
  span,
  markdown: ({ text }) => data.renderMarkdown(text, { noSanitize: true }),
  transformations: () => data.standardTransformersRegistry.list().map((each) => each.id),
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let reply;
    try {
      const request = JSON.parse(line);
      reply = { answer: await OPERATIONS[request.op](request) };
    } catch (error) {
      reply = { error: String(error.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

main();
