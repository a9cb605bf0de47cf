// Messages of pollen.js as protobuf's bytes and as Amino JSON, by their tables of fields.
// A field is [name, number, kind, isList]; its kind a scalar's, "enum", or a message's full name.
// Names are as in the proto files; objects have them in camel case, integers of 64 bits as bigint.

const WIDE = ["uint64", "int64"];
const VARINTS = [...WIDE, "uint32", "int32", "bool", "enum"];
const DEFAULTS = { string: "", bytes: new Uint8Array(), bool: false, uint64: 0n, int64: 0n };

export const camelCase = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function writeVarint(out, value) {
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(Number(rest));
}

function writeBytes(out, number, bytes) {
  writeVarint(out, (number << 3) | 2);
  writeVarint(out, bytes.length);
  for (const byte of bytes) out.push(byte);
}

function readVarint(data, at) {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (at >= data.length) break;
    const byte = data[at++];
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return [BigInt.asUintN(64, value), at];
  }
  throw new Error("a varint is cut off or too long");
}

function toNumber(kind, value) {
  if (kind === "bool") return value !== 0n;
  if (kind === "uint64") return value;
  const signed = BigInt.asIntN(64, value);
  return kind === "int64" ? signed : Number(signed);
}

const isEmpty = (value) =>
  value === undefined || value === "" || value === false || value === 0 || value === 0n || value.length === 0;

/** Returns what CosmJS' Registry needs of a message, and what its AminoTypes do. */
export function makeType(tables, name) {
  const typeOf = (kind) => makeType(tables, kind);

  function fromPartial(object = {}) {
    const message = {};
    for (const [field, , kind, isList] of tables[name]) {
      const key = camelCase(field);
      const given = object[key];
      const convert = (value) =>
        kind in tables ? typeOf(kind).fromPartial(value) : WIDE.includes(kind) ? BigInt(value) : value;
      if (isList) message[key] = (given ?? []).map(convert);
      else if (given !== undefined && given !== null) message[key] = convert(given);
      else message[key] = kind in tables ? undefined : (DEFAULTS[kind] ?? 0);
    }
    return message;
  }

  function toBytes(message) {
    const out = [];
    for (const [field, number, kind, isList] of tables[name]) {
      const value = message[camelCase(field)];
      if (isList && VARINTS.includes(kind)) {
        const packed = [];
        for (const each of value ?? []) writeVarint(packed, each);
        if (packed.length) writeBytes(out, number, packed);
        continue;
      }
      for (const each of isList ? (value ?? []) : [value]) {
        if (each === undefined || (!isList && isEmpty(each))) continue;
        if (VARINTS.includes(kind)) {
          writeVarint(out, number << 3);
          writeVarint(out, each);
        } else {
          const bytes =
            kind === "string" ? new TextEncoder().encode(each) : kind === "bytes" ? each : typeOf(kind).toBytes(each);
          writeBytes(out, number, bytes);
        }
      }
    }
    return Uint8Array.from(out);
  }

  function decode(data) {
    const message = fromPartial();
    const fields = new Map(tables[name].map((field) => [field[1], field]));
    for (let at = 0, tag, value; at < data.length; ) {
      [tag, at] = readVarint(data, at);
      const [field, , kind, isList] = fields.get(Number(tag >> 3n)) ?? [];
      const wire = Number(tag & 7n);
      if (wire !== 0 && wire !== 2) throw new Error(`${name}: wire type ${wire} is unknown here`);
      [value, at] = readVarint(data, at);
      let bytes;
      if (wire === 2) {
        bytes = data.subarray(at, (at += Number(value)));
        if (at > data.length) throw new Error(`${name}: cut off`);
      }
      if (field === undefined) continue;
      const key = camelCase(field);
      const values = [];
      if (wire === 0) values.push(toNumber(kind, value));
      else if (kind === "string") values.push(new TextDecoder().decode(bytes));
      else if (kind === "bytes") values.push(bytes.slice());
      else if (kind in tables) values.push(typeOf(kind).decode(bytes));
      else for (let i = 0, each; i < bytes.length; ) { [each, i] = readVarint(bytes, i); values.push(toNumber(kind, each)); }
      if (isList) message[key].push(...values);
      else message[key] = values[0];
    }
    return message;
  }

  function toAmino(message) {
    const shown = {};
    for (const [field, , kind, isList] of tables[name]) {
      const value = message[camelCase(field)];
      if (isEmpty(value) || value === null) continue;
      const convert = (each) => {
        if (kind in tables) return typeOf(kind).toAmino(each);
        if (kind === "bytes") return btoa(String.fromCharCode(...each));
        return WIDE.includes(kind) ? String(each) : each;
      };
      shown[field] = isList ? value.map(convert) : convert(value);
    }
    return shown;
  }

  function fromAmino(shown) {
    const object = {};
    for (const [field, , kind, isList] of tables[name]) {
      const convert = (each) => {
        if (kind in tables) return typeOf(kind).fromAmino(each);
        return kind === "bytes" ? Uint8Array.from(atob(each), (letter) => letter.charCodeAt(0)) : each;
      };
      const value = shown[field];
      if (value !== undefined) object[camelCase(field)] = isList ? value.map(convert) : convert(value);
    }
    return fromPartial(object);
  }

  const encode = (message) => ({ finish: () => toBytes(message) });
  return { typeUrl: `/${name}`, fromPartial, toBytes, encode, decode, toAmino, fromAmino };
}
