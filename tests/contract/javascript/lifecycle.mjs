// Plays the documented lifecycle with nothing of ours: plain fetch, and tokens as the documentation says.
//
//   node lifecycle.mjs < known.json      {"base_url", "account_id", "app_id", "client_id", "client_secret", "generation"}
//
// Prints what it was answered, one JSON object.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import jwt from "jsonwebtoken";

const known = JSON.parse(readFileSync(0, "utf8"));
const { app_id: app, account_id: account, generation } = known;
const token = jwt.sign({ sub: "lifecycle", appId: known.client_id }, known.client_secret, {
  algorithm: "HS256",
  noTimestamp: true,
});

const P = generation === 1 ? `/agentassist/api/v1/public/${app}` : `/campaign/api/v2/public/${app}`;
const trigger = {
  1: (id, word) => `/campaign/api/v1/public/${app}/campaign/${id}?campaignType=sms&trigger=${word}`,
  2: (id, word) =>
    word === "stop"
      ? `/campaign/api/v2/public/${app}/campaign//trigger/${id}?accountId=${account}&campaignType=sms&trigger=stop`
      : `/campaign/api/v2/public/${app}/campaign/${id}?campaignType=sms&trigger=${word}`,
}[generation];

async function call(method, path, body) {
  const response = await fetch(known.base_url + path, {
    method,
    headers: { auth: token, iid: app, accountId: account, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function until(done) {
  for (let i = 0; i < 600; i += 1) {
    const answer = await done();
    if (answer) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("waited in vain");
}

const name = (word) => `${word} of generation ${generation}`;
const told = {};

// A contact list, its contacts, and one of them on a DNC list (the documented API has no call for that: v1 does).
told.list = await call("POST", `${P}/campaign/contactList/createContactList?accountId=${account}`, {
  name: name("List"),
  description: "Made by a stranger",
  source: "passiveApi",
  allowDuplicates: false,
});
const people = known.numbers.map((number, i) => ({ phoneNumber: number, firstName: `Person ${i}`, city: "Pune" }));
told.added = await call("POST", `/api/1.1/public/${app}/campaign/contactList/addContacts`, {
  contact_list_name: name("List"),
  data: people,
});
const dnc = await fetch(`${known.base_url}/v1/apps/${app}/dnc-lists`, {
  method: "POST",
  headers: { auth: token },
  body: JSON.stringify({ name: name("DNC") }),
});
const dncList = await dnc.json();
const forbidden = await fetch(`${known.base_url}/v1/apps/${app}/dnc-lists/${dncList.id}/numbers`, {
  method: "POST",
  headers: { auth: token },
  body: JSON.stringify({ numbers: [known.numbers[0]] }),
});
assert.equal(forbidden.status, 200);

const days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].map((day) => ({ day, start: "12:00 AM", end: "11:59 PM" }));
const campaign = {
  name: name("Campaign"),
  description: "A stranger's campaign",
  contactLists: [name("List")],
  dncLists: { name: name("DNC") },
  priority: "5",
  campaignType: "sms",
  format: "simple",
  message: { message: encodeURIComponent(Buffer.from("Hello from elsewhere").toString("base64")), templateId: "" },
  dialingStrategy: {
    callerId: { phoneNumber: "+12025550100" },
    callingHours: { frequency: "WEEKLY", timezone: "Asia/Kolkata", days },
  },
  schedule: { isSchedulingEnabled: false },
};
told.created = await call("POST", `${P}/campaign?accountId=${account}&campaignType=sms`, campaign);
const id = told.created.data._id;
told.updated = await call("PUT", `${P}/campaign/${id}?accountId=${account}&campaignType=sms`, {
  ...campaign,
  description: "Changed",
  message: { message: "Hello {{ firstName }} from {{ city }}" },
});
told.started = await call("POST", trigger(id, "play"), {});
await until(async () => {
  const answer = await call("POST", `${P}/campaign/${id}/status?accountId=${account}&view=status`);
  return answer.data.status === "Completed" && (told.status = answer);
});
told.contacts = await until(async () => {
  const answer = await call("POST", `${P}/campaign/${id}/status?accountId=${account}&view=contacts`, { page: 1, limit: 100 });
  return answer.data.results.every((one) => one.dialerOutcome === "completed") && answer;
});
told.restarted = await call("POST", trigger(id, "play"), {});
told.stopped = await call("POST", trigger(id, "stop"), {}).catch((error) => error.message);
told.all = await call("POST", `${P}/campaign/getAllCampaignDetails?accountId=${account}`, {
  type: "sms",
  limit: 50,
  skip: 0,
  page: 1,
  sortBy: { createdAt: "desc" },
});
await until(async () => {
  const { data } = await call("POST", `${P}/campaign/${id}/status?accountId=${account}&view=status`);
  return data.status !== "Active";
});
told.deleted = await call("DELETE", `${P}/campaign/${id}?accountId=${account}&campaignType=sms`);
told.listDeleted = await call("DELETE", `${P}/campaign/contactList/${told.list.data._id}?accountId=${account}`);

process.stdout.write(JSON.stringify(told));
