"use strict";

const WORDS = {
  en: {
    key: "API key or token", first: "Six calls to begin with", send: "Send", find: "Find", all: "Every call", document: "the document",
    first_why: "Each can be changed and sent. What one answers, the next goes on with: the refusal is told of the decision above it.",
    example: "example", body: "body", roles: "roles", everybody: "everybody", answers: "answers", same: "the same with curl",
    language: "中文", sending: "sending …", failed: "nothing answers", empty: "an empty answer", runs: "pack",
    development: "DEVELOPMENT MODE: there are no callers. Everybody who reaches this address may do everything, and what is sent here is recorded.",
    steps: ["A desktop: somebody calls about a bill", "The app: what to show the customer who opened it", "A refusal, and the next step",
      "A batch, line by line", "TM Forum TMF680: recommendations", "An auditor: searching the record"],
  },
  zh: {
    key: "API 密钥或令牌", first: "先试这六个调用", send: "发送", find: "查找", all: "全部调用", document: "接口文档",
    first_why: "内容可改，改完即可发送。前一个的结果会带到下一个：“客户拒绝”说的就是上面那次决策。",
    example: "示例", body: "请求体", roles: "角色", everybody: "所有人", answers: "返回", same: "等同的 curl 命令",
    language: "English", sending: "发送中……", failed: "没有响应", empty: "返回内容为空", runs: "策略包",
    development: "开发模式：尚未添加任何调用方。凡能访问本地址者均可执行一切操作；在此发送的请求会留下记录。",
    steps: ["坐席桌面：客户来电咨询账单", "App：客户打开时展示什么", "客户拒绝，以及下一步", "批量：逐行决策", "TM Forum TMF680：推荐查询", "审计：检索记录"],
  },
};
const FIRST = [["decide", "a_desktop"], ["decide", "an_app"], ["respond", "refused"], ["decideMany", "three_lines"],
  ["createRecommendation", "a_customer"], ["searchDecisions", "by_phase"]];
const METHODS = ["get", "post", "put", "patch", "delete"];
const base = new URL(".", location.href);
const last = {};
let language = navigator.language.startsWith("zh") ? "zh" : "en";
let api = null;
let mode = null;

const word = (name) => WORDS[language][name];
const byId = (id) => document.getElementById(id);

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

function written(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

function mediaOf(operation) {
  return Object.entries(operation.requestBody?.content ?? {})[0] ?? [null, {}];
}

function fieldOf(parameter) {
  const input = make("input", { name: parameter.name, value: parameter.example ?? Object.values(parameter.examples ?? {})[0]?.value ?? "", autocomplete: "off", spellcheck: false });
  input.dataset.place = parameter.in;
  if (isList(parameter.schema)) input.dataset.list = "yes";
  const about = resolved(parameter).description ?? resolved(parameter.schema ?? {}).description ?? "";
  return make("label", {}, make("span", {}, make("code", { textContent: parameter.name }), parameter.required ? " *" : ""), input,
    make("small", { textContent: about }));
}

/** What was answered before goes where it belongs: the id into the path, an action of its list into the body. */
function goOn(form, operation) {
  const id = form.querySelector('input[name="decision_id"]');
  if (id && last.decision && !id.dataset.touched) id.value = last.decision.decision_id;
  const body = form.querySelector("textarea");
  if (operation.operationId !== "respond" || !last.decision || !body) return;
  try {
    const told = JSON.parse(body.value);
    const listed = last.decision.actions.map((item) => item.action);
    if (listed.length && !listed.includes(told.action)) body.value = written({ ...told, action: listed[0] });
  } catch { /* it is being written */ }
}

function isList(schema) {
  return schema?.type === "array" || (schema?.anyOf ?? []).some(isList);
}

function requestOf(form, operation) {
  let path = operation.path;
  const query = new URLSearchParams();
  const headers = {};
  for (const input of form.querySelectorAll("input[data-place]")) {
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
  if (!kind.includes("ndjson")) {
    const text = await response.text();
    shown.textContent = kind.includes("json") && text ? JSON.stringify(JSON.parse(text), null, 2) : text || word("empty");
    return kind.includes("json") && text ? JSON.parse(text) : null;
  }
  const decoder = new TextDecoder();
  shown.textContent = "";
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return null;
    shown.textContent += decoder.decode(value, { stream: true });
  }
}

async function send(form, operation, status, shown) {
  const request = requestOf(form, operation);
  const began = performance.now();
  status.className = "status";
  status.textContent = word("sending");
  try {
    const response = await fetch(request.url, { ...request, cache: "no-store", redirect: "error" });
    const answer = await read(response, shown);
    status.textContent = `${response.status} ${response.statusText} · ${Math.round(performance.now() - began)} ms`;
    status.classList.toggle("bad", !response.ok);
    const decision = answer?.next?.decision_id ? answer.next : answer;
    if (response.ok && decision?.decision_id && decision.actions) {
      last.decision = decision;
      document.querySelectorAll("form").forEach((other) => goOn(other, other.operation));
    }
  } catch (error) {
    status.textContent = `${word("failed")}: ${error.message}`;
    status.classList.add("bad");
  }
}

function formOf(operation, example) {
  const form = make("form", { className: "inside", operation });
  const [, media] = mediaOf(operation);
  const examples = Object.entries(media.examples ?? {});
  const parameters = (operation.parameters ?? []).map(resolved);
  if (parameters.length) form.append(make("div", { className: "fields" }, ...parameters.map(fieldOf)));
  if (operation.requestBody) {
    const body = make("textarea", { spellcheck: false, ariaLabel: word("body") });
    const choice = make("select", {}, ...examples.map(([name, given]) => make("option", { value: name, textContent: given.summary })));
    const fill = () => { body.value = written(media.examples[choice.value].value); goOn(form, operation); };
    choice.addEventListener("change", fill);
    if (examples.length) form.append(make("label", {}, word("example"), choice));
    form.append(body);
    if (examples.length) { choice.value = example ?? examples[0][0]; fill(); }
  }
  const status = make("p", { className: "status", role: "status" });
  const shown = make("pre", { tabIndex: 0, hidden: true });
  const curl = make("pre", {});
  const same = make("details", {}, make("summary", { textContent: word("same") }), curl);
  same.addEventListener("toggle", () => { curl.textContent = curlOf(requestOf(form, operation)); });
  form.addEventListener("input", (event) => { if (event.target.name) event.target.dataset.touched = "yes"; });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    shown.hidden = false;
    send(form, operation, status, shown);
  });
  form.append(make("p", {}, make("button", { type: "submit", textContent: word("send") })), status, shown, same, answersOf(operation));
  return form;
}

function answersOf(operation) {
  const items = Object.entries(operation.responses).map(([status, told]) =>
    make("li", {}, make("code", { textContent: status }), ` ${told.description}`));
  return make("details", {}, make("summary", { textContent: word("answers") }), make("ul", {}, ...items));
}

function shownOperation(operation, { title = null, example = null, open = false } = {}) {
  const roles = operation["x-roles"]?.join(", ") ?? word("everybody");
  const head = make("summary", {}, title ? make("span", { textContent: `${title}  ` }) : null, make("b", { textContent: operation.method }),
    make("code", { textContent: operation.path }), title ? null : ` ${operation.summary ?? ""}`);
  const found = make("details", { open }, head);
  const fill = () => {
    if (found.childElementCount > 1) return;
    found.append(make("div", { className: "inside" }, make("p", { textContent: operation.description ?? "" }),
      make("p", {}, make("small", { textContent: `${word("roles")}: ${roles}` }))), formOf(operation, example));
  };
  found.addEventListener("toggle", fill);
  if (open) fill();
  return found;
}

function show() {
  document.documentElement.lang = language;
  document.querySelectorAll("[data-text]").forEach((part) => { part.textContent = word(part.dataset.text); });
  byId("language").textContent = word("language");
  byId("development").textContent = word("development");
  byId("development").hidden = mode !== "development";
  const known = operations();
  byId("first").replaceChildren(...FIRST.flatMap(([name, example], number) => {
    const operation = known.find((item) => item.operationId === name);
    return operation ? [shownOperation(operation, { title: `${number + 1}. ${word("steps")[number]}`, example, open: number === 0 })] : [];
  }));
  find();
}

function find() {
  const wanted = byId("find").value.toLowerCase();
  const told = (item) => `${item.method} ${item.path} ${item.summary} ${item.operationId}`.toLowerCase();
  byId("all").replaceChildren(...operations().filter((item) => told(item).includes(wanted)).map((item) => shownOperation(item)));
}

async function begin() {
  const [welcome, found] = await Promise.all(["", "openapi.json"].map((part) => fetch(new URL(part, base)).then((answer) => answer.json())));
  api = found;
  mode = welcome.mode;
  byId("running").textContent = `${welcome.engine} · ${word("runs")} ${welcome.pack.name} ${welcome.pack.version}`;
  byId("find").addEventListener("input", find);
  byId("language").addEventListener("click", () => { language = language === "en" ? "zh" : "en"; show(); });
  show();
}

begin();
