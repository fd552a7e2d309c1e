"use strict";

/* global make, resolved, word, language, api, TYPES */
/* exported shapeOf, rich */

/** Text in which what stands between backticks is code. */
function rich(text) {
  return text.split("`").map((part, number) => (number % 2 ? make("code", { textContent: part }) : part));
}

/** Something that is made when it is opened first. */
function folded(head, inside, attributes = {}) {
  const found = make("details", attributes, make("summary", {}, ...head));
  const fill = () => { if (found.childElementCount === 1) found.append(inside()); };
  found.addEventListener("toggle", fill);
  return found;
}

/** What a value may be, each by itself; that it may be left out is said by what is required. */
function kindsOf(schema) {
  const found = resolved(schema) ?? {};
  const some = found.anyOf ?? found.oneOf;
  return some ? some.flatMap(kindsOf).filter((kind) => kind.type !== "null") : [found];
}

/** The objects of which a value consists, also those on lists. */
function objectsOf(schema) {
  return kindsOf(schema).flatMap((kind) => {
    if (kind.type === "array") return objectsOf(kind.items ?? {});
    return kind.properties || kind.patternProperties || kind.additionalProperties?.type || kind.additionalProperties?.$ref ? [kind] : [];
  });
}

/** Lines of a stream are told of by name. */
function linesOf(schema) {
  const named = (schema?.description ?? "").split("`").filter((name, number) => number % 2 && api.components.schemas[name]);
  return named.map((name) => api.components.schemas[name]);
}

function typeOf(schema) {
  const names = kindsOf(schema).map((kind) => {
    if (kind.type === "array") return word("list") + typeOf(kind.items ?? {});
    return TYPES[language][kind.format] ?? TYPES[language][kind.type] ?? (kind.enum || "const" in kind ? TYPES[language].string : "JSON");
  });
  return [...new Set(names)].join(" / ");
}

function boundsOf(schema) {
  const outer = resolved(schema) ?? {};
  const told = kindsOf(schema).flatMap((kind) => [
    "minimum" in kind || "maximum" in kind ? `${kind.minimum ?? ""} – ${kind.maximum ?? ""}` : null,
    kind.maxLength ? word("length").replace("{}", kind.maxLength) : null,
    kind.maxItems ? word("most").replace("{}", kind.maxItems) : null,
    kind["x-unit"] && kind["x-unit"] !== "count" ? kind["x-unit"] : null,
  ]);
  if (outer.default !== undefined && outer.default !== null) told.push(word("default") + word("colon") + JSON.stringify(outer.default));
  return told.filter((part) => part !== null).join("; ");
}

function allowedIn(schema) {
  return kindsOf(schema).flatMap((kind) => (kind.type === "array" ? allowedIn(kind.items ?? {}) : kind.enum ?? ("const" in kind ? [kind.const] : [])));
}

/** What a field is, in the language: those of the vocabulary have a Chinese name, which their description begins with. */
function toldOf(name, schema) {
  const found = resolved(schema) ?? {};
  const chineseName = found["x-zh"];
  const about = schema.description ?? found.description ?? "";
  const rest = chineseName && about.startsWith(chineseName) ? about.slice(chineseName.length).replace(/^。\s*/, "") : about;
  const title = found.title && found.title.toLowerCase().replaceAll(" ", "_") !== name.toLowerCase() ? found.title : "";
  return (language === "zh" && chineseName ? `${chineseName}。${rest}` : rest || title).trim();
}

function rowOf(name, schema, required) {
  const head = [make("code", { textContent: name }), make("small", { textContent: ` ${typeOf(schema)}` }),
    required ? make("em", { textContent: ` ${word("required")}` }) : ""];
  const more = [make("span", {}, ...rich(toldOf(name, schema)))];
  const bounds = boundsOf(schema);
  const allowed = allowedIn(schema);
  if (bounds) more.push(make("small", { textContent: ` (${bounds})` }));
  if (allowed.length) more.push(make("p", { className: "allowed" }, ...allowed.map((value) => make("code", { textContent: String(value) }))));
  const objects = objectsOf(schema);
  return make("li", {}, objects.length ? folded(head, () => make("div", {}, make("p", {}, ...more), rowsOf(objects))) : make("div", {}, ...head, " ", ...more));
}

function rowsOf(objects) {
  if (objects.length > 1) {
    return make("ul", {}, ...objects.map((kind) => make("li", {}, folded([make("code", { textContent: kind.title ?? "…" })], () => rowsOf([kind])))));
  }
  const [{ properties = {}, patternProperties = {}, additionalProperties, required = [] }] = objects;
  const others = Object.values(patternProperties).concat(additionalProperties?.type || additionalProperties?.$ref ? [additionalProperties] : []);
  return make("ul", {}, ...Object.entries(properties).map(([name, schema]) => rowOf(name, schema, required.includes(name))),
    ...others.map((schema) => rowOf(`‹${word("any")}›`, schema, false)));
}

/** The fields of what a schema describes, folded; nothing where it has none. */
function shapeOf(title, schema) {
  const lines = linesOf(schema);
  const objects = lines.length ? lines : objectsOf(schema ?? {});
  return objects.length ? folded([title], () => rowsOf(objects), { className: "shape" }) : null;
}
