// An SMSC made of node-smpp: what stands behind a carrier's port, on demand with the manners of a bad one.
//
//   node smsc.js '{"receipt_delay_ms": 300}'     prints {"port":…,"control":…} when it listens; ends with its stdin
//
// Counters and options by HTTP on the control port, all JSON:
//   GET /counters      what happened so far
//   GET /destinations  {number: messages taken for it}
//   GET /submits       what was taken, oldest first (option `record`)
//   GET /replies       what scripted handsets wrote, oldest first (option `script`)
//   GET /sources       {sender: messages taken from it}
//   POST /flood        {"lines":[[number, text],…],"to","per_second"} handsets write at this rate; GET /flood says how
//                      many were offered and answered, and how long the answers took
//   POST /options      changes options while it runs
//   POST /drop         cuts every link
//   POST /deliver      {"from","to","text"} a message of a handset
'use strict';

const fs = require('fs');
const http = require('http');
const smpp = require('smpp');

const options = {
  port: 0,
  control: 0,
  receipt_delay_ms: 0, // -1: none; 0: right after the answer
  receipt_first: false, // the receipt leaves before the answer
  receipt_stat: 'DELIVRD',
  receipt_tlv: true, // receipted_message_id and message_state beside the text
  receipts_on: 'same', // or 'any': any link that can receive
  reference: false, // echo user_message_reference in the receipt
  answer_delay_ms: 0,
  answer_ids: 'decimal', // decimal | hex | HEX | uuid
  receipt_ids: 'decimal', // the same; another way of writing than the answer's is what some carriers do
  first_id: 1000000001,
  answer_first: -1, // answer so many submits, -1 all; then …
  withhold: 0, // … leave so many without an answer (they count as taken), then answer again
  drop_after_withheld: false, // … and cut every link once they are all there
  throttle_per_second: 0, // more than so many in a second are refused with 0x58
  hold_answers: false, // answers wait until this is false again
  refuse_every: 0, // every nth submit is refused …
  refuse_status: 0x14, // … with this status
  refuse_binds: 0, // refuse so many binds …
  bind_status: 0x0d, // … with this status
  system_id: '', // who may bind; empty: everybody
  password: '',
  record: false,
  script: {}, // number: what its handset writes, one line after each message that it gets; null: nothing after that one
  reply_delay_ms: 100,
  key: '', // files of a TLS server
  cert: '',
  ca: '', // demand a client certificate signed by this
  ...JSON.parse(process.argv[2] || '{}'),
};

const counters = {
  links: 0, binds: 0, refused_binds: 0, unbinds: 0, enquiries: 0, errors: 0,
  submits: 0, most_open: 0, taken: 0, answered: 0, withheld: 0, throttled: 0, refused: 0,
  destinations: 0, duplicates: 0, receipts: 0, receipts_acknowledged: 0, receipts_kept: 0,
  delivers: 0, delivers_acknowledged: 0,
  last_taken_ms: 0, // from the first submit to the last that was taken
  cpu_us: 0,
};
const destinations = new Map(); // number -> messages taken
const bodies = new Set(); // destination + body, to see the same message taken twice
const submits = [];
const replies = [];
const sources = {}; // sender -> messages taken
let flood = null;
const sessions = new Set(); // bound ones that can receive
let kept = []; // receipts that nobody was there to take
let held = []; // answers that wait until they may be given
let next_id = options.first_id;
let round = 0;
let first_submit = 0;
let second = { start: 0, count: 0 };

function written(id, how) {
  if (how === 'hex') return id.toString(16);
  if (how === 'HEX') return id.toString(16).toUpperCase().padStart(10, '0');
  if (how === 'uuid') return `00000000-0000-4000-8000-${id.toString(16).padStart(12, '0')}`;
  return String(id);
}

const two = (number) => String(number).padStart(2, '0');

function minute(date) {
  const day = `${two(date.getUTCFullYear() % 100)}${two(date.getUTCMonth() + 1)}${two(date.getUTCDate())}`;
  return `${day}${two(date.getUTCHours())}${two(date.getUTCMinutes())}`;
}

const STATES = { ENROUTE: 1, DELIVRD: 2, EXPIRED: 3, DELETED: 4, UNDELIV: 5, ACCEPTD: 6, UNKNOWN: 7, REJECTD: 8 };

function receipt_of(pdu, id) {
  const now = minute(new Date());
  const stat = options.receipt_stat;
  const named = written(id, options.receipt_ids);
  const delivered = stat === 'DELIVRD' ? '001' : '000';
  const error = stat === 'DELIVRD' ? '000' : '069';
  const text = `id:${named} sub:001 dlvrd:${delivered} submit date:${now} done date:${now} stat:${stat} err:${error} text:`;
  const receipt = {
    source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
    dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
    esm_class: 4, data_coding: 0, short_message: Buffer.from(text, 'latin1'),
  };
  if (options.receipt_tlv) {
    receipt.receipted_message_id = named;
    receipt.message_state = STATES[stat] || 7;
  }
  if (options.reference && pdu.user_message_reference !== undefined) {
    receipt.user_message_reference = pdu.user_message_reference;
  }
  return receipt;
}

function receiver(session) {
  if (options.receipts_on === 'same' && sessions.has(session)) return session;
  const all = [...sessions];
  return all.length ? all[round++ % all.length] : null;
}

// A receipt is done with when it was acknowledged with status 0; else it waits for the next bind.
function send_receipt(session, receipt) {
  const to = receiver(session);
  if (!to) return keep(receipt);
  to.unacknowledged.add(receipt);
  const { reply, ...fields } = receipt;
  if (reply) reply.told += 1;
  else counters.receipts += 1;
  to.deliver_sm(fields, (answer) => {
    to.unacknowledged.delete(receipt);
    if (answer.command_status !== 0) keep(receipt);
    else if (reply) reply.acknowledged = true;
    else counters.receipts_acknowledged += 1;
  });
}

// A reply is told again at the next bind until it was acknowledged, as a receipt is.
function reply_to(session, pdu) {
  const text = (options.script[pdu.destination_addr] || [])[destinations.get(pdu.destination_addr) - 1];
  if (text === undefined || text === null) return;
  const reply = { number: pdu.destination_addr, text, told: 0, acknowledged: false };
  const written = {
    reply,
    source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
    dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
    short_message: text,
  };
  replies.push(reply);
  setTimeout(send_receipt, options.reply_delay_ms, session, written);
}

function keep(receipt) {
  kept.push(receipt);
  counters.receipts_kept += 1;
}

function send_later(session, receipt) {
  if (options.receipt_delay_ms > 0) setTimeout(send_receipt, options.receipt_delay_ms, session, receipt);
  else send_receipt(session, receipt);
}

function refusal() {
  if (options.throttle_per_second) {
    const now = Date.now();
    if (now - second.start >= 1000) second = { start: now, count: 0 };
    second.count += 1;
    if (second.count > options.throttle_per_second) {
      counters.throttled += 1;
      return 0x58;
    }
  }
  if (options.refuse_every && counters.submits % options.refuse_every === 0) {
    counters.refused += 1;
    return options.refuse_status;
  }
  return 0;
}

function body_of(pdu) {
  const held = pdu.message_payload !== undefined ? pdu.message_payload : pdu.short_message;
  const text = held && held.message !== undefined ? held.message : held;
  const udh = held && held.udh ? [].concat(held.udh).map((part) => Buffer.from(part).toString('hex')) : [];
  return { text: Buffer.isBuffer(text) ? text.toString('hex') : String(text === undefined ? '' : text), udh };
}

function take(pdu, id) {
  counters.taken += 1;
  counters.last_taken_ms = Date.now() - first_submit;
  const body = body_of(pdu);
  const sar = pdu.sar_segment_seqnum === undefined ? '' : pdu.sar_segment_seqnum;
  const key = `${pdu.destination_addr}\n${body.udh.join()}\n${sar}\n${body.text}`;
  destinations.set(pdu.destination_addr, (destinations.get(pdu.destination_addr) || 0) + 1);
  counters.destinations = destinations.size;
  sources[pdu.source_addr] = (sources[pdu.source_addr] || 0) + 1;
  if (flood) answered_in_flood(pdu.destination_addr);
  if (bodies.has(key)) counters.duplicates += 1;
  else bodies.add(key);
  if (options.record) submits.push({ ...pdu, ...body, short_message: undefined, message_payload: undefined, id, at: Date.now() });
}

function answer(session, pdu, fields) {
  const send = () => {
    counters.answered += 1;
    session.send(pdu.response(fields));
  };
  if (options.hold_answers) held.push(send);
  else if (options.answer_delay_ms > 0) setTimeout(send, options.answer_delay_ms);
  else send();
}

// Says whether this submit is one of those that get no answer.
function is_withheld() {
  if (options.answer_first < 0 || counters.taken <= options.answer_first || counters.withheld >= options.withhold) return false;
  counters.withheld += 1;
  if (options.drop_after_withheld && counters.withheld === options.withhold) setImmediate(drop);
  return true;
}

function on_submit(session, pdu) {
  first_submit = first_submit || Date.now();
  counters.submits += 1;
  counters.most_open = Math.max(counters.most_open, counters.submits - counters.answered);
  const status = refusal();
  if (status) return answer(session, pdu, { command_status: status });
  const id = next_id++;
  take(pdu, id);
  const withheld = is_withheld();
  const receipt = pdu.registered_delivery & 3 && options.receipt_delay_ms >= 0 ? receipt_of(pdu, id) : null;
  if (receipt && options.receipt_first) send_receipt(session, receipt);
  if (!withheld) answer(session, pdu, { message_id: written(id, options.answer_ids) });
  if (receipt && !options.receipt_first) send_later(session, receipt);
  reply_to(session, pdu);
}

function on_bind(session, pdu) {
  const known = !options.system_id || (pdu.system_id === options.system_id && pdu.password === options.password);
  if (!known || counters.refused_binds < options.refuse_binds) {
    counters.refused_binds += 1;
    session.send(pdu.response({ command_status: known ? options.bind_status : 0x0e }));
    return session.close();
  }
  counters.binds += 1;
  session.send(pdu.response({ system_id: 'node-smpp' }));
  if (pdu.command === 'bind_transmitter') return undefined;
  sessions.add(session);
  const waiting = kept;
  kept = [];
  waiting.forEach((receipt) => send_receipt(session, receipt));
  return undefined;
}

const open_sessions = new Set();

function gone(session) {
  open_sessions.delete(session);
  sessions.delete(session);
  const waiting = [...session.unacknowledged];
  session.unacknowledged.clear();
  // Where any link will do, one that is left takes it.
  waiting.forEach((receipt) => (options.receipts_on === 'any' ? send_receipt(session, receipt) : keep(receipt)));
}

function drop() {
  [...open_sessions].forEach((session) => session.destroy());
}

function attend(session) {
  counters.links += 1;
  session.unacknowledged = new Set();
  open_sessions.add(session);
  session.on('close', () => gone(session));
  session.on('error', () => {
    counters.errors += 1;
    session.destroy();
  });
  for (const kind of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(kind, (pdu) => on_bind(session, pdu));
  }
  session.on('submit_sm', (pdu) => on_submit(session, pdu));
  session.on('enquire_link', (pdu) => {
    counters.enquiries += 1;
    session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    counters.unbinds += 1;
    sessions.delete(session);
    session.send(pdu.response());
    session.close();
  });
}

function deliver({ from, to, text, ...more }) {
  const session = receiver(null);
  if (!session) return { delivered: false };
  counters.delivers += 1;
  session.deliver_sm({ source_addr: from, destination_addr: to, short_message: text, ...more }, (response) => {
    if (response.command_status === 0) counters.delivers_acknowledged += 1;
  });
  return { delivered: true };
}

function begin_flood({ lines, to, per_second }) {
  flood = { offered: 0, acknowledged: 0, began: Date.now(), last: 0, wrote: new Map(), waits: [] };
  const mine = flood;
  const timer = setInterval(() => {
    const due = Math.min(lines.length, Math.floor(((Date.now() - mine.began) * per_second) / 1000));
    while (mine.offered < due) write(mine, lines[mine.offered++], to);
    if (mine.offered === lines.length) clearInterval(timer);
  }, 5);
  return {};
}

// A reply that is not taken is told again after a second, and its answer takes as much longer.
function write(mine, [from, text], to, wrote = Date.now()) {
  const again = () => setTimeout(write, 1000, mine, [from, text], to, wrote);
  const session = receiver(null);
  if (!session) return again();
  mine.wrote.set(from, [...(mine.wrote.get(from) || []), wrote]);
  return session.deliver_sm(
    { source_addr_ton: 1, source_addr_npi: 1, source_addr: from, dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to, short_message: text },
    (response) => {
      if (response.command_status === 0) mine.acknowledged += 1;
      else {
        mine.wrote.get(from).pop();
        again();
      }
    },
  );
}

function answered_in_flood(number) {
  const wrote = (flood.wrote.get(number) || []).shift();
  if (wrote === undefined) return;
  flood.last = Date.now();
  flood.waits.push(flood.last - wrote);
}

function told_of_flood() {
  if (!flood) return {};
  const waits = [...flood.waits].sort((a, b) => a - b);
  const share = (part) => waits[Math.min(waits.length - 1, Math.floor(waits.length * part))] || 0;
  return {
    offered: flood.offered, acknowledged: flood.acknowledged, answered: waits.length, p50_ms: share(0.5), p95_ms: share(0.95),
    seconds: (flood.last - flood.began) / 1000,
  };
}

function change(changed) {
  Object.assign(options, changed);
  if (!options.hold_answers) held.splice(0).forEach((send) => send());
  return options;
}

function told() {
  const used = process.cpuUsage();
  return { ...counters, receipts_kept_now: kept.length, cpu_us: used.user + used.system };
}

const CALLS = {
  'GET /counters': told,
  'GET /destinations': () => Object.fromEntries(destinations),
  'GET /submits': () => submits,
  'GET /replies': () => replies,
  'GET /sources': () => sources,
  'GET /flood': told_of_flood,
  'POST /flood': begin_flood,
  'POST /options': change,
  'POST /drop': () => (drop(), {}),
  'POST /deliver': deliver,
};

const control = http.createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => { body += piece; });
  request.on('end', () => {
    const call = CALLS[`${request.method} ${request.url}`];
    response.writeHead(call ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(call ? call(body ? JSON.parse(body) : {}) : {}));
  });
});

const files = ['key', 'cert', 'ca'].filter((name) => options[name]).map((name) => [name, fs.readFileSync(options[name])]);
const tls = { ...Object.fromEntries(files), requestCert: Boolean(options.ca), rejectUnauthorized: Boolean(options.ca) };
const server = files.length ? smpp.createServer(tls, attend) : smpp.createServer(attend);

server.listen(options.port, '127.0.0.1', () => {
  control.listen(options.control, '127.0.0.1', () => {
    console.log(JSON.stringify({ port: server.address().port, control: control.address().port }));
  });
});

process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
