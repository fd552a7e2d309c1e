"use strict";

/* global WORDS, shapeOf, rich, carry, learn, learnPack */

const FIRST = [["decide", "a_desktop"], ["decide", "an_app"], ["respond", "refused"], ["decideMany", "three_lines"],
  ["createRecommendation", "a_customer"], ["searchDecisions", "by_phase"]];
/** In the order of the groups' names; an operation belongs to the first that stands in its method and path. */
const GROUPS = ["POST /v1/decisions", "GET /v1/decisions", "/v1/my/", "/v1/records", "/v1/subscribers", "/v1/campaigns", "/v1/packs", "/v1/webhooks", "/v4/", " /"];
/** What is asked about once more before it is sent, beside every DELETE. */
const FINAL = ["eraseSubscriber", "holdSubscriber", "releaseSubscriber", "rejectPack", "activatePack", "withdrawPack", "rollBackPack", "renewWebhookSecret", "cancelCampaign"];
const METHODS = ["get", "post", "put", "patch", "delete"];
const base = new URL(".", location.href);
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let api = null;
let chinese = null;
let mode = null;
let running = null;

const word = (name) => WORDS[language][name];
const byId = (id) => document.getElementById(id);
const inChinese = (kind, name) => (language === "zh" ? chinese[kind][name] : undefined);

function make(name, attributes = {}, ...inside) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...inside.filter((part) => part !== null));
  return made;
}

function resolved(part) {
  return part && part.$ref ? part.$ref.slice(2).split("/").reduce((found, name) => found[name.replaceAll("~1", "/")], api) : part;
}

function operations() {
  return Object.entries(api.paths).flatMap(([path, methods]) =>
    METHODS.filter((method) => method in methods).map((method) => ({ method: method.toUpperCase(), path, ...methods[method] })));
}

/** As text; a short list of figures or words stands on one line. */
function written(value) {
  if (typeof value === "string") return value;
  const onOneLine = (whole, inside) => (whole.length > 160 ? whole : `[${inside.replace(/\n\s+/g, " ")}]`);
  return JSON.stringify(value, null, 2).replace(/\[\n\s+([^[\]{}]*?)\n\s+\]/g, onOneLine);
}

function mediaOf(operation) {
  return Object.entries(operation.requestBody?.content ?? {})[0] ?? [null, {}];
}

function titleOf(operation) {
  return inChinese("operations", operation.operationId) ?? operation.summary ?? "";
}

function isFinal(operation) {
  return operation.method === "DELETE" || FINAL.includes(operation.operationId);
}

function isList(schema) {
  return schema?.type === "array" || (schema?.anyOf ?? []).some(isList);
}

/** Who asks is named by a header in development mode only; a token says it itself. */
function isForDevelopment(operation, parameter) {
  return parameter.name === "X-Subscriber-Id" && operation.path.startsWith("/v1/my/");
}

/** A parameter's value, of one example where there are several. */
function exampleOf(parameter, example) {
  const found = parameter.example ?? parameter.examples?.[example]?.value ?? "";
  return parameter.name === "locale" && found ? localeOf(language) : found;
}

function localeOf(spoken) {
  return spoken === "zh" ? "zh-CN" : "en";
}

function fieldOf(operation, parameter, named) {
  const example = exampleOf(parameter, named);
  const person = parameter.name === "X-Subscriber-Id";
  const shownOnly = person ? isFinal(operation) : parameter.in === "header";
  const input = make("input", { name: parameter.name, value: shownOnly ? "" : example, autocomplete: "off", spellcheck: false,
    placeholder: shownOnly ? example : "", required: parameter.in === "path" || (person && operation.path.startsWith("/v1/subscribers")) });
  input.dataset.place = parameter.in;
  if (isList(parameter.schema)) input.dataset.list = "yes";
  const about = parameter.description ?? resolved(parameter.schema ?? {}).description ?? "";
  const name = inChinese("parameters", parameter.name);
  const className = isForDevelopment(operation, parameter) ? "in-development" : "";
  return make("label", { className }, make("span", {}, make("code", { textContent: parameter.name }), name ? ` ${name}` : "", parameter.required ? " *" : ""),
    input, make("small", {}, ...rich(about)));
}

/** An example as it can be sent: in the page's language, and where a token says who the customer is, without saying it again. */
function sendable(value, name) {
  if (typeof value !== "object" || value === null) return value;
  const found = value.locale ? { ...value, locale: localeOf(language) } : value;
  if (name !== "an_app" || mode === "development" || byId("key").value.trim().startsWith("wl_")) return found;
  const { id, ...known } = found.subscriber;
  return { ...found, subscriber: known };
}

function requestOf(form, operation) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll("input[data-place]")) {
    if (mode !== "development" && input.closest(".in-development")) continue;
    if (input.dataset.place === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (input.value && input.dataset.place === "query") {
      (input.dataset.list ? input.value.split(",") : [input.value]).forEach((one) => query.append(input.name, one));
    }
    else if (input.value) headers[input.name] = input.value;
  }
  const key = byId("key").value.trim();
  if (key) headers.Authorization = `Bearer ${key}`;
  const body = form.querySelector("textarea")?.value;
  if (body !== undefined) headers["Content-Type"] = mediaOf(operation)[0];
  const asked = query.toString();
  return { url: new URL(path.slice(1) + (asked ? `?${asked}` : ""), base), method: operation.method, headers, body };
}

function curlOf(request) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const headers = Object.entries(request.headers).map(([name, value]) => ` -H ${quoted(`${name}: ${value}`)}`).join("");
  const body = request.body === undefined ? "" : ` --data-binary ${quoted(request.body)}`;
  return `curl -s -X ${request.method}${headers}${body} ${quoted(String(request.url))}`;
}

async function read(response, shown) {
  const kind = response.headers.get("content-type") ?? "";
  if (kind.includes("ndjson")) return readLines(response, shown);
  if (kind && !kind.includes("json") && !kind.startsWith("text/")) return readFile(response, shown);
  const text = await response.text();
  const answer = kind.includes("json") && text ? JSON.parse(text) : null;
  shown.textContent = answer === null ? text || word("empty") : written(answer);
  return answer;
}

/** Lines as they come; the last decision among them is what calls go on with. */
async function readLines(response, shown) {
  const decoder = new TextDecoder();
  shown.textContent = "";
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    shown.textContent += decoder.decode(value, { stream: true });
  }
  const lines = shown.textContent.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return lines.findLast((line) => line.decision)?.decision ?? null;
}

async function readFile(response, shown) {
  const found = await response.blob();
  const name = /filename="?([^";]+)/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? "answer";
  const link = make("a", { href: URL.createObjectURL(found), download: name, textContent: `${word("save")} ${name}` });
  shown.replaceChildren(link, ` (${found.size.toLocaleString("en")} ${word("bytes")})`);
  link.click();
  return null;
}

async function send(form, operation, status, shown) {
  const request = requestOf(form, operation);
  if (isFinal(operation) && !confirm(`${titleOf(operation)}\n${request.method} ${request.url.pathname}\n\n${word("sure")}`)) return;
  const began = performance.now();
  status.className = "status";
  status.textContent = word("sending");
  shown.hidden = false;
  try {
    const response = await fetch(request.url, { ...request, cache: "no-store", redirect: "error" });
    const answer = await read(response, shown);
    status.textContent = `${response.status} ${response.statusText} · ${Math.round(performance.now() - began)} ms`;
    status.classList.toggle("bad", !response.ok);
    showMode(response.headers.get("Wanliu-Mode") ?? "guarded");
    if (response.ok && answer) {
      learn(operation, request, answer);
      document.querySelectorAll("form").forEach(carry);
    }
  } catch (error) {
    status.textContent = word("failed") + word("colon") + error.message;
    status.classList.add("bad");
  }
}

function bodyOf(form, operation, example) {
  const [, media] = mediaOf(operation);
  const examples = Object.entries(media.examples ?? {});
  const body = make("textarea", { spellcheck: false, ariaLabel: word("body") });
  const told = (name, given) => inChinese("examples", `${operation.operationId.replace("OfCustomer", "")}.${name}`) ?? given.summary;
  const choice = make("select", {}, ...examples.map(([name, given]) => make("option", { value: name, textContent: told(name, given) })));
  form.fill = () => {
    body.value = written(sendable(media.examples[choice.value].value, choice.value));
    body.rows = body.value.split("\n").length;
    carry(form);
  };
  choice.addEventListener("change", () => { delete body.dataset.touched; form.fill(); });
  form.append(...(examples.length ? [make("label", {}, word("example"), choice)] : []), body);
  if (examples.length) {
    choice.value = example ?? examples[0][0];
    form.fill();
  }
}

function formOf(operation, { example, first }) {
  const form = make("form", { className: "inside", operation, first });
  const parameters = (operation.parameters ?? []).map(resolved);
  const named = example ?? parameters.flatMap((one) => Object.keys(one.examples ?? {}))[0];
  if (parameters.length) form.append(make("div", { className: "fields" }, ...parameters.map((one) => fieldOf(operation, one, named))));
  if (operation.requestBody) bodyOf(form, operation, example);
  carry(form);
  const status = make("p", { className: "status", role: "status" });
  const shown = make("pre", { tabIndex: 0, hidden: true });
  const curl = make("pre", {});
  const same = make("details", {}, make("summary", { textContent: word("same") }), curl);
  same.addEventListener("toggle", () => { curl.textContent = curlOf(requestOf(form, operation)); });
  form.addEventListener("input", (event) => { if (event.target.tagName !== "SELECT") event.target.dataset.touched = "yes"; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, operation, status, shown);
  });
  form.append(make("p", {}, make("button", { type: "submit", textContent: word("send") })), status, shown, same, ...shapesOf(operation), answersOf(operation));
  return form;
}

/** The fields of what is sent and of what is answered. */
function shapesOf(operation) {
  const good = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
  const [answer] = Object.values(good?.[1].content ?? {});
  return [shapeOf(word("given"), mediaOf(operation)[1].schema), shapeOf(word("told"), answer?.schema)].filter((part) => part !== null);
}

function answersOf(operation) {
  const items = Object.entries(operation.responses).map(([status, told]) =>
    make("li", {}, make("code", { textContent: status }), " ", ...rich(told.description)));
  return make("details", {}, make("summary", { textContent: word("answers") }), make("ul", {}, ...items));
}

function shownOperation(operation, { title = null, example = null, open = false } = {}) {
  const roles = operation["x-roles"]?.map((role) => inChinese("roles", role) ?? role).join(language === "zh" ? "、" : ", ") ?? word("everybody");
  const head = make("summary", {}, title ? make("span", { className: "title", textContent: title }) : null, make("b", { textContent: operation.method }),
    make("code", { textContent: operation.path }), title ? null : make("span", { className: "about", textContent: titleOf(operation) }));
  const found = make("details", { open, className: "operation" }, head);
  const fill = () => {
    if (found.childElementCount > 1) return;
    found.append(make("div", { className: "inside" }, make("p", {}, ...rich(operation.description ?? "")),
      make("p", {}, make("small", { textContent: word("roles") + word("colon") + roles }))), formOf(operation, { example, first: title !== null }));
  };
  found.addEventListener("toggle", fill);
  if (open) fill();
  return found;
}

function show() {
  document.documentElement.lang = localeOf(language);
  document.querySelectorAll("[data-text]").forEach((part) => { part.textContent = word(part.dataset.text); });
  byId("language").textContent = word("language");
  byId("development").textContent = word("development");
  byId("running").textContent = `${running.engine} · ${word("runs")} ${running.pack.name} ${running.pack.version}`;
  const known = operations();
  byId("first").replaceChildren(...FIRST.flatMap(([name, example], number) => {
    const operation = known.find((item) => item.operationId === name);
    return operation ? [shownOperation(operation, { title: `${number + 1}. ${word("steps")[number]}`, example, open: number === 0 })] : [];
  }));
  find();
}

function showMode(told) {
  mode = told;
  byId("development").hidden = mode !== "development";
  document.body.classList.toggle("development", mode === "development");
}

function groupOf(operation) {
  return GROUPS.findIndex((part) => `${operation.method} ${operation.path}`.includes(part));
}

function find() {
  const wanted = byId("find").value.toLowerCase();
  const told = (item) => `${item.method} ${item.path} ${item.summary} ${titleOf(item)} ${item.operationId}`.toLowerCase();
  const found = operations().filter((item) => told(item).includes(wanted));
  const shown = GROUPS.flatMap((_, group) => {
    const items = found.filter((item) => groupOf(item) === group);
    return items.length ? [make("h3", { textContent: word("groups")[group] }), ...items.map((item) => shownOperation(item))] : [];
  });
  byId("all").replaceChildren(...(shown.length ? shown : [word("find_none")]));
}

/** Examples that were not changed by hand follow the key: a token names its customer. */
function fillAgain() {
  document.querySelectorAll("form").forEach((form) => { if (form.fill && !form.querySelector("textarea").dataset.touched) form.fill(); });
}

async function begin() {
  const [welcome, found, translated] = await Promise.all(
    ["", "openapi.json", "docs/chinese.json"].map((part) => fetch(new URL(part, base)).then((answer) => answer.json())));
  api = found;
  chinese = translated;
  learnPack(welcome.pack.digest);
  showMode(welcome.mode);
  running = welcome;
  byId("find").addEventListener("input", find);
  byId("key").addEventListener("input", fillAgain);
  byId("language").addEventListener("click", () => { language = language === "en" ? "zh" : "en"; show(); });
  show();
}

begin();
