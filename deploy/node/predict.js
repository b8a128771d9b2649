"use strict";
// Answers a record with a model file of industry_apps, by onnxruntime alone: the columns, their
// types and what a missing value is stand in the file. Nothing of this package runs here.
//
//   npm install onnxruntime-node       with --ignore-scripts where no CUDA is to be fetched
//   node predict.js MODEL.onnx '{"amount": 12.5, ...}'     one record: prints its answer
//   node predict.js MODEL.onnx                             its self-test: prints the answers to it
//
// For files that take records of single values and lists; images and windows of series are left
// to the server, which checks and cuts them.

const fs = require("fs");
const ort = require("onnxruntime-node");

const MISSING_TIME = -(2n ** 63n);

/** The metadata of a model file: field 14 of the message, pairs of key (1) and value (2). */
function metadataOf(content) {
  const found = {};
  for (const [field, value] of fieldsOf(content)) {
    if (field !== 14) continue;
    const pair = Object.fromEntries(fieldsOf(value));
    found[pair[1].toString("utf8")] = JSON.parse(pair[2].toString("utf8"));
  }
  if (!found.schema || !found.outputs) throw new Error("The file was not written by industry_apps.");
  return found;
}

/** The fields of a message of protobuf: their numbers and values; of numbers an empty value. */
function* fieldsOf(content) {
  let place = 0;
  const varint = () => {
    let number = 0, factor = 1;
    for (;;) {
      const byte = content[place++];
      if (byte === undefined || factor > 2 ** 49) throw new Error("The file is damaged.");
      number += (byte & 127) * factor;
      if (byte < 128) return number;
      factor *= 128;
    }
  };
  while (place < content.length) {
    const tag = varint(), wire = tag % 8, field = Math.floor(tag / 8);
    if (wire === 0) { varint(); continue; }
    const size = wire === 2 ? varint() : { 1: 8, 5: 4 }[wire];
    if (size === undefined || place + size > content.length) throw new Error("The file is damaged.");
    if (wire === 2) yield [field, content.subarray(place, place + size)];
    place += size;
  }
}

/** One value of a record as its column enters the graph. */
function valueOf(column, value) {
  const missing = value === undefined || value === null;
  const wrong = expected => new Error(
    `Column '${column.name}': got ${JSON.stringify(value)}, expected ${expected}.`);
  if (missing && !column.nullable) throw wrong("a value");
  switch (column.kind) {
    case "number":
      if (missing) return NaN;
      if (typeof value !== "number") throw wrong("a number");
      if (column.low !== null && value < column.low) throw wrong(`a number >= ${column.low}`);
      if (column.high !== null && value > column.high) throw wrong(`a number <= ${column.high}`);
      return value;
    case "boolean":
      if (missing) return NaN;
      if (typeof value !== "boolean") throw wrong("true or false");
      return Number(value);
    case "category":
    case "text": {
      const text = missing ? "" : typeof value === "number" ? String(value) : value;
      if (typeof text !== "string") throw wrong("a text");
      if (column.categories.length && text && !column.categories.includes(text))
        throw wrong(`one of ${column.categories.join(", ")}`);
      return text.normalize("NFC");
    }
    case "datetime": {
      if (missing) return MISSING_TIME;
      const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(value);
      const moment = Date.parse(zoned ? value : String(value).replace(" ", "T") + (
        String(value).includes(":") ? "Z" : "T00:00Z"));
      if (Number.isNaN(moment)) throw wrong("a time in ISO 8601");
      return BigInt(Math.floor(moment / 1000));
    }
    default:
      throw new Error(`Column '${column.name}' is of kind ${column.kind}. Ask the server.`);
  }
}

/** Refuse a name that no column has while a column is absent: it may be a slip for it. */
function checkNames(columns, record) {
  const known = columns.map(column => column.name);
  const unknown = Object.keys(record).find(name => !known.includes(name));
  const absent = known.find(name => !(name in record));
  if (unknown !== undefined && absent !== undefined) throw new Error(
    `Column '${unknown}' is not known, and '${absent}' is absent. Rename it; or add '${absent}', as null where it is not known.`);
}

/** One column of a record as a tensor. */
function tensorOf(column, record) {
  if (column.required && !(column.name in record))
    throw new Error(`Column '${column.name}' is missing. Add it, as null where it is not known.`);
  const given = record[column.name];
  const isList = column.listed || column.size !== 1;
  const values = isList ? (given && given.length ? given : [null]) : [given];
  const told = values.map(value => valueOf(isList ? { ...column, nullable: true } : column, value));
  const shape = [1, told.length];
  if (column.kind === "datetime") return new ort.Tensor("int64", BigInt64Array.from(told), shape);
  if (column.kind === "category" || column.kind === "text") return new ort.Tensor("string", told, shape);
  return column.offset === null || column.offset === undefined
    ? new ort.Tensor("float32", Float32Array.from(told), shape)
    : new ort.Tensor("float64", Float64Array.from(told), shape);
}

/** An output as the answer that it is: one value, or a list without the empty texts at its end. */
function answerOf(column, tensor) {
  let values = Array.from(tensor.data, value => typeof value === "bigint" ? Number(value) : value);
  if (column.kind === "boolean") values = values.map(Boolean);
  const isList = column.listed || column.size !== 1 || column.shape.length > 0;
  if (!isList) return values[0];
  if (column.kind === "category" && column.size === null)
    while (values.length && !values[values.length - 1]) values.pop();
  return values;
}

async function main(path, text) {
  const content = fs.readFileSync(path);
  const facts = metadataOf(content);
  if (facts.windows) throw new Error("The file takes windows of series. Ask the server.");
  const columns = facts.schema.filter(column => column.role !== "identifier");
  const names = facts.outputs.map(column => column.name);
  const session = await ort.InferenceSession.create(content, { intraOpNumThreads: 1 });
  const answer = async record => {
    checkNames(columns, record);
    const feeds = Object.fromEntries(columns.map(column => [column.name, tensorOf(column, record)]));
    const found = await session.run(feeds, names);
    return Object.fromEntries(facts.outputs.map(c => [c.name, answerOf(c, found[c.name])]));
  };
  if (text !== undefined) {
    console.log(JSON.stringify(await answer(JSON.parse(text))));
    return;
  }
  const answers = [];
  for (const record of facts.self_test.records) answers.push(await answer(record));
  console.log(JSON.stringify(answers));
}

main(...process.argv.slice(2)).catch(error => {
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
});
