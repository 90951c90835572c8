// The runner of flows that FLOIP wrote (npm `@floip/flow-runner`), driven through many flows in one process.
//
// A line of standard input is one session, a line of standard output what became of it, both in JSON:
//   {flows, resources, groups: [key], contact: {column: text}, language, mode, replies: {block: [value, …]}}
//   {said: [[block, text]], left: [[block, exit, value]], contact: {column: text}, groups: [key], refused: block}
// `replies`: the values that a block is given, one at each visit, the last one again. `refused`: the block that took
// none; there the session ends, because the runner throws. `failed`: what else it threw.
// With `times`, the session is run so often, and the answer is {seconds, left}: how much of a processor it took,
// and how many blocks were left in all.
'use strict';

console.info = () => {};
require('moment').suppressDeprecationWarnings = true;

const F = require('@floip/flow-runner');
const readline = require('readline');

/** The block that sets columns and does nothing else: the runner knows the setting alone, in the config of others. */
class SetContactProperty {
  constructor(block, context) {
    this.block = block;
    this.context = context;
  }

  async initialize() {
    return undefined;
  }

  async run() {
    F.setContactProperty(this.block, this.context);
    return this.block.exits[0];
  }
}

const STORE = F.createDefaultBlockRunnerStore();
// The name that the specification has; the runner knows the singular.
STORE.set('MobilePrimitives.SelectManyResponses', STORE.get('MobilePrimitives.SelectManyResponse'));
STORE.set('Core.SetContactProperty', (block, context) => new SetContactProperty(block, context));

/** Tells in which order blocks were left: the context has them in the order in which they were come to. */
class Runner extends F.FlowRunner {
  left = [];

  completeInteraction(interaction, exit, at) {
    const done = super.completeInteraction(interaction, exit, at);
    // What a log says is kept by the time of day: the last one is that of the block that was just left.
    const value = interaction.type === 'Core.Log' ? Object.values(this.context.logs).pop() : interaction.value;
    this.left.push([interaction.block_id, exit, value === undefined ? null : value]);
    return done;
  }
}

async function begin(asked) {
  const contact = new F.Contact();
  contact.id = '1';
  for (const [name, value] of Object.entries(asked.contact)) contact.setProperty(name, value);
  const { flows, language, mode, resources } = asked;
  const groups = asked.groups.map((key) => new F.Group(key));
  const context = await F.createContextDataObjectFor(contact, groups, 'user', 'org', flows, language, mode, resources);
  return new Runner(context, STORE);
}

/** Give a prompt its value; false: it takes none such. */
function give(prompt, value) {
  try {
    prompt.value = value;
  } catch (error) {
    if (error instanceof F.ValidationException) return false;
    throw error;
  }
  return true;
}

async function talk(asked) {
  const runner = await begin(asked);
  const said = [];
  const visits = {};
  let refused = null;
  let cursor = await runner.run();
  while (cursor) {
    const block = cursor.interaction.block_id;
    const { prompt } = cursor;
    said.push([block, new F.ResourceResolver(runner.context).resolve(prompt.config.prompt).getText()]);
    const replies = prompt.config.kind === 'Message' ? [null] : asked.replies[block];
    const visit = visits[block] || 0;
    visits[block] = visit + 1;
    if (!give(prompt, replies[Math.min(visit, replies.length - 1)])) {
      refused = block;
      break;
    }
    cursor = await runner.run();
  }
  return { said, left: runner.left, contact: runner.context.contact, refused };
}

/** The columns of a contact, and the groups of which it is a member. */
function shown({ groups, ...properties }) {
  const columns = {};
  for (const [name, property] of Object.entries(properties)) {
    if (property !== null && typeof property === 'object') columns[name] = property.__value__;
  }
  return { contact: columns, groups: groups.filter((each) => each.deleted_at == null).map((each) => each.group_key) };
}

async function answer(asked) {
  if (asked.times) {
    const begun = process.cpuUsage();
    let left = 0;
    for (let time = 0; time < asked.times; time += 1) left += (await talk(asked)).left.length;
    const { user, system } = process.cpuUsage(begun);
    return { seconds: (user + system) / 1e6, left };
  }
  try {
    const { contact, ...rest } = await talk(asked);
    return { ...rest, ...shown(contact) };
  } catch (error) {
    return { failed: String(error) };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line) process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

main();
