"use strict";

/* global written */
/* exported carry, learn, learnPack */

/** What answers told last, for the forms that go on with it. */
const kept = { decision: null, agents: null, recommendation: null, webhook: null, campaign: null, hub: null, digest: null };

/** The id that a part of a path names. */
function keptFor(form, input) {
  if (input.name === "decision_id") return decisionFor(form)?.decision_id;
  if (input.name === "digest") return kept.digest;
  if (input.name === "webhook_id") return kept.webhook;
  if (input.name === "campaign_id") return kept.campaign;
  if (input.name === "id") return form.operation.path.includes("/hub/") ? kept.hub : kept.recommendation;
  return null;
}

/** The refusal among the first calls is told of the agent's decision, whatever was decided since. */
function decisionFor(form) {
  return form.first && form.operation.operationId === "respond" ? kept.agents : kept.decision;
}

/** A body that goes on with a decision: its id, and an action of its list. */
const RETOLD = {
  respond: (body, decision) => ("action" in body ? { ...body, action: listed(decision, body.action) } : body),
  recheck: (body, decision) => {
    const [first, ...others] = body.items;
    return { ...body, items: [{ ...first, decision_id: decision.decision_id, action: listed(decision, first.action) }, ...others] };
  },
  createInteraction: (body, decision) => {
    const [first, ...others] = body.interactionItem;
    return { ...body, interactionItem: [{ ...first, action: listed(decision, first.action), item: { ...first.item, id: decision.decision_id } }, ...others] };
  },
};

function listed(decision, action) {
  const names = decision.actions.map((item) => item.action);
  return names.length && !names.includes(action) ? names[0] : action;
}

/** What was answered before goes where it belongs, but for what was written by hand. */
function carry(form) {
  for (const input of form.querySelectorAll('input[data-place="path"]')) {
    const id = keptFor(form, input);
    if (id && !input.dataset.touched) input.value = id;
  }
  const body = form.querySelector("textarea");
  const decision = decisionFor(form);
  const retold = RETOLD[form.operation.operationId];
  if (!retold || !decision || !body || body.dataset.touched) return;
  body.value = written(retold(JSON.parse(body.value), decision));
}

/** What an answer says of ids. */
function learn(operation, request, answer) {
  const name = operation.operationId;
  const items = answer?.recommendationItem;
  if (operation.path.endsWith("/queryProductRecommendation")) {
    const newest = Array.isArray(answer) ? answer[0] : answer;
    kept.recommendation = newest?.id ?? kept.recommendation;
    if (items && answer.decisionId) keepDecision({ decision_id: answer.decisionId, actions: items }, request);
  } else if (name === "respond" && answer?.next?.decision_id) {
    keepNext(answer.decision_id, answer.next);
  } else if (answer?.decision_id && answer.actions) {
    keepDecision(answer, request);
  } else if (name === "searchDecisions") {
    const found = answer.entries.find((entry) => (entry.kind ?? "decision") === "decision" && entry.id);
    if (found) kept.decision = { decision_id: found.id, actions: [] };
  } else if (name === "readMyDecisions" && answer.decisions.length) {
    kept.decision = { decision_id: answer.decisions[0].decision_id, actions: answer.decisions[0].suggestions };
  }
  if (name === "addWebhook") kept.webhook = answer.webhook.id;
  if (name === "listWebhooks") kept.webhook = answer.webhooks[0]?.id ?? kept.webhook;
  if (name === "commissionCampaign") kept.campaign = answer.id;
  if (name === "listCampaigns") kept.campaign = answer.campaigns[0]?.id ?? kept.campaign;
  if (operation.path.endsWith("/hub")) kept.hub = answer.id;
  if (name === "publishPack") learnPack(answer.pack.digest);
  if (name === "listPacks") learnPack(answer.packs[0]?.digest);
}

function learnPack(digest) {
  kept.digest = digest ?? kept.digest;
}

function keepDecision(decision, request) {
  kept.decision = decision;
  if (request.method === "POST" && !/"direction":\s*"self"/.test(request.body)) kept.agents = decision;
}

function keepNext(before, next) {
  if (kept.agents?.decision_id === before) kept.agents = next;
  kept.decision = next;
}
