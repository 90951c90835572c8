// Twilio as the npm package `emulate` plays it: prints {"url":…} when it listens; ends with its stdin.
//
//   node emulator.js '{"account": {…}, "phone_numbers": […]}'      the package's own seed document
'use strict';

const path = require('path');
const { pathToFileURL } = require('url');

async function main() {
  // The package is a module, which NODE_PATH does not lead to.
  const { createEmulator } = await import(pathToFileURL(path.join(process.env.NODE_PATH, 'emulate/dist/api.js')));
  const emulator = await createEmulator({ service: 'twilio', port: 0, seed: { twilio: JSON.parse(process.argv[2]) } });
  console.log(JSON.stringify({ url: emulator.url }));
}

main();
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
