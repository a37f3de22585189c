// Everybody, as columns: what a list of 100,000 is sorted and searched in.

const COLUMNS = { identity: Int32Array, media: Int32Array, faces: Int32Array, screen_time_s: Float32Array, first_day: Int32Array, last_day: Int32Array };

function unpacked(text, Type) {
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return new Type(bytes.buffer);
}

class Crowd {
  constructor({ columns, names, at, last, store, threshold }) {
    Object.assign(this, { at, last, store, threshold });
    for (const [name, Type] of Object.entries(COLUMNS)) this[name] = unpacked(columns[name], Type);
    this.size = this.identity.length;
    this.names = new Map(Object.entries(names).map(([id, name]) => [Number(id), name]));
    this.folded = new Map([...this.names].map(([id, name]) => [id, fold(name)]));
    this.rows = new Map();
    for (let row = 0; row < this.size; row += 1) this.rows.set(this.identity[row], row);
    this.orders = new Map();
  }

  called(id) {
    return this.names.get(id) || `person ${id}`;
  }

  /** Rows in an order; equal ones by number. */
  ordered(by) {
    if (this.orders.has(by)) return this.orders.get(by);
    const rows = Int32Array.from({ length: this.size }, (_, row) => row);
    if (by === "name") {
      const { compare } = new Intl.Collator("en", { sensitivity: "base", numeric: true });
      const name = (row) => this.names.get(this.identity[row]);
      rows.sort((a, b) => (name(a) && name(b) ? compare(name(a), name(b)) : (name(a) ? 0 : 1) - (name(b) ? 0 : 1)) || a - b);
    } else if (by === "first_day") {
      const first = (row) => this.first_day[row] || Infinity;
      rows.sort((a, b) => first(a) - first(b) || a - b);
    } else if (by !== "identity") {
      const values = this[by];
      rows.sort((a, b) => values[b] - values[a] || a - b);
    }
    this.orders.set(by, rows);
    return rows;
  }

  /** Rows whose name has all words in it, or whose number begins so. */
  found(text, by) {
    const words = fold(text).split(/\s+/).filter(Boolean);
    const rows = this.ordered(by);
    if (!words.length) return rows;
    const digits = words.length === 1 && /^\d+$/.test(words[0]) ? words[0] : null;
    return rows.filter((row) => {
      const id = this.identity[row], name = this.folded.get(id);
      return (name !== undefined && words.every((word) => name.includes(word))) || (digits !== null && String(id).startsWith(digits));
    });
  }
}
