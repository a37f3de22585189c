// Who is who: the report's tracks and persons with the corrections made so far, and what follows.

const NOBODY = -1;
const NOT_A_FACE = -2;
const ANCHORS = 5;

class Model {
  constructor(report) {
    this.report = report;
    this.made = [];
    this.saved = [];
    this.trackRows = rowsOfTracks(report);
    this.shotStarts = report.shots.map(([start]) => start);
    this.longest = longestSpan(report);
    this.replay();
  }

  /** Make one correction; what it touches is anchored by faces, for numbers may change. */
  make(op) {
    this.made.push({ ...op, ...this.anchors(op) });
    this.replay();
  }

  undo() {
    const undone = this.made.pop();
    this.replay();
    return undone;
  }

  get unsaved() {
    return this.made.length !== this.saved.length || this.made.some((op, i) => op !== this.saved[i]);
  }

  markSaved() {
    this.saved = [...this.made];
  }

  /** Start from the report, and apply all corrections in their order. */
  replay() {
    const { persons, tracks } = this.report;
    this.owner = Int32Array.from(tracks.person);
    this.names = new Map(persons.map((p) => [p.id, p.name]));
    this.next = 1 + Math.max(-1, ...this.names.keys());
    for (const op of this.made) this.apply(op);
    this.people = this.figures();
    this.attributes = new Map(this.people.map(({ id, attributes }) => [id, attributes]));
  }

  apply(op) {
    if (op.op === "rename") this.names.set(op.person, op.name || null);
    if (op.op === "merge") this.join(op.persons);
    if (op.op === "split") {
      this.owner[this.indexOf(op.track)] = this.next;
      this.names.set(this.next++, null);
    }
    if (op.op === "not_a_face") this.owner[this.indexOf(op.track)] = NOT_A_FACE;
  }

  join([kept, ...others]) {
    const gone = new Set(others);
    for (let i = 0; i < this.owner.length; i++) if (gone.has(this.owner[i])) this.owner[i] = kept;
    for (const person of others) this.names.delete(person);
  }

  indexOf(track) {
    return this.report.tracks.id.indexOf(track);
  }

  tracksOf(person) {
    return [...this.owner.keys()].filter((track) => this.owner[track] === person);
  }

  nameOf(person) {
    if (person === NOBODY) return "nobody";
    return this.names.get(person) || `person ${person}`;
  }

  /** A person's colour; a person made here has one of those that the fewest have. */
  colourOf(person) {
    const { palette, nobody, persons } = this.report;
    if (person < 0) return `#${nobody}`;
    const known = persons.find(({ id }) => id === person);
    if (known) return `#${palette[known.colour]}`;
    const counts = palette.map((_, i) => persons.filter(({ colour }) => colour === i).length);
    const rarest = [...counts.keys()].sort((a, b) => counts[a] - counts[b] || a - b);
    return `#${palette[rarest[(person - persons.length + palette.length) % palette.length]]}`;
  }

  /** The box of a row's track at a time: on the way to the next sample, if it moves. */
  boxOf(row, time) {
    const { rows } = this.report;
    const next = row + rows.next[row];
    const sides = (at) => [rows.x1[at], rows.y1[at], rows.x2[at], rows.y2[at]];
    if (next === row) return sides(row);
    const share = this.shareOf(row, next, time);
    const to = sides(next);
    return sides(row).map((side, i) => side + (to[i] - side) * share);
  }

  /** Upper left corner of the label of a row at a time. */
  cornerOf(row, time) {
    const { rows } = this.report;
    const next = row + rows.next[row];
    const share = this.shareOf(row, next, time);
    const corner = (at) => [rows.x1[at] + rows.labelX[at], rows.y1[at] + rows.labelY[at]];
    const to = corner(next);
    return corner(row).map((side, i) => side + (to[i] - side) * share);
  }

  shareOf(row, next, time) {
    if (next === row) return 0;
    const { start, end } = this.spanOf(row);
    return Math.min(1, Math.max(0, (time - start) / (end - start)));
  }

  /** From when to when a row's box is drawn. */
  spanOf(row) {
    const { rows, shots } = this.report;
    const sample = lastAtMost(rows.start, row);
    const start = rows.time[sample];
    if (rows.next[row]) return { start, end: rows.time[lastAtMost(rows.start, row + rows.next[row])] };
    const end = start + rows.duration[sample];
    const cut = shots[lastAtMost(this.shotStarts, start + SAME_TIME_S) + 1];
    return { start, end: cut ? Math.min(end, cut[0]) : end };
  }

  /** The box of a track at a time, or null where none is drawn. */
  boxAt(track, time) {
    const row = this.rowsAt(time).find((at) => this.report.rows.track[at] === track);
    return row === undefined ? null : this.boxOf(row, time);
  }

  /** The rows of which the boxes are drawn at a time. */
  rowsAt(time) {
    const { rows } = this.report;
    const found = [];
    const moment = time + CLOCK_S;
    for (let sample = lastAtMost(rows.time, moment); sample >= 0; sample--) {
      if (rows.time[sample] + this.longest < moment) break;
      const [first, end] = rowsOf(rows, sample);
      for (let row = first; row < end; row++) if (moment < this.spanOf(row).end) found.push(row);
    }
    return found;
  }

  /** A label as long as there is room: 0 whole, 1 the name, 2 its first word or number. */
  shortLabelOf(track, shortened) {
    const person = this.owner[track];
    if (person === NOBODY) return shortened > 1 ? "" : this.report.tracks.texts[track];
    if (!shortened) return this.labelOf(track);
    const name = this.nameOf(person);
    if (shortened === 1) return name;
    const word = this.names.get(person) ? name.split(/\s+/)[0] : `${person}`;
    return word.length > 8 ? `${word.slice(0, 7)}…` : word;
  }

  /** The text beside the boxes of a track: name, sex and age of its person; what is known of nobody's. */
  labelOf(track) {
    const person = this.owner[track];
    const attributes = this.attributes.get(person) || {};
    const known = person !== NOBODY && Object.keys(attributes).length;
    const text = known ? sexAndAge(attributes) : this.report.tracks.texts[track];
    const name = person === NOBODY ? "face" : this.nameOf(person);
    return [name, text].filter(Boolean).join("  ");
  }

  /** Screen time, presence and size of every person, most screen time first; nobody last. */
  figures() {
    const { rows } = this.report;
    const people = new Map([...this.names.keys(), NOBODY].map((id) => [id, unseen(id)]));
    for (let sample = 0; sample < rows.samples; sample++) {
      const [first, end] = rowsOf(rows, sample);
      for (let row = first; row < end; row++) {
        const person = people.get(this.owner[rows.track[row]]);
        if (person) see(person, sample, rows.time[sample], rows.duration[sample]);
      }
    }
    const seen = [...people.values()].filter((person) => person.faces);
    for (const person of seen) this.describe(person);
    const rank = (p) => (p.id === NOBODY ? Infinity : -p.screen);
    return seen.sort((a, b) => rank(a) - rank(b) || b.faces - a.faces || a.id - b.id);
  }

  describe(person) {
    const { persons, tracks } = this.report;
    person.name = this.nameOf(person.id);
    person.tracks = this.tracksOf(person.id);
    const was = persons.find((p) => p.id === person.id);
    const own = [...tracks.person.keys()].filter((track) => tracks.person[track] === person.id);
    person.exact = Boolean(was) && own.join() === person.tracks.join();
    person.attributes = person.exact ? was.attributes : averages(tracks, person.tracks);
  }

  anchors(op) {
    if (op.op === "merge") return { anchors: op.persons.map((p) => this.facesOf(this.tracksOf(p))) };
    if (op.op === "rename") return { anchor: this.facesOf(this.tracksOf(op.person)) };
    return { anchor: this.facesOf([this.indexOf(op.track)]) };
  }

  /** A few faces of tracks: of one, from all over it; of many, of those that count most. */
  facesOf(tracks) {
    const { weight } = this.report.tracks;
    const best = [...tracks].sort((a, b) => weight[b] - weight[a]).slice(0, ANCHORS);
    const each = Math.max(1, Math.floor(ANCHORS / best.length));
    const chosen = best.flatMap((track) => spread(this.trackRows[track], each));
    return chosen.sort((a, b) => a - b).map((row) => this.face(row));
  }

  face(row) {
    const { rows } = this.report;
    const time = rows.time[lastAtMost(rows.start, row)];
    return { time_s: Number(time.toFixed(6)), bbox: [rows.x1[row], rows.y1[row], rows.x2[row], rows.y2[row]] };
  }

  /** Go on with corrections that were saved; throws, and changes nothing, where they do not fit. */
  load(text) {
    const { format, version, source, corrections } = JSON.parse(text);
    if (format !== "ina-corrections" || version !== 1) throw new Error("no corrections of version 1");
    const { medium, options } = this.report;
    if (source.name !== medium.name) throw new Error(`these are of ${source.name}`);
    if (source.options !== options) throw new Error("these are of an analysis with other options");
    const before = this.made;
    try {
      this.made = [];
      this.replay();
      for (const op of corrections) {
        if (!this.fits(op)) throw new Error("they do not fit what is shown here");
        this.made.push(op);
        this.apply(op);
      }
      this.markSaved();
    } catch (error) {
      this.made = before;
      throw error;
    } finally {
      this.replay();
    }
  }

  fits({ op, person, persons, name, track }) {
    if (op === "rename") return this.names.has(person) && typeof name === "string";
    if (op === "merge") return new Set(persons).size > 1 && persons.every((id) => this.names.has(id));
    return (op === "split" || op === "not_a_face") && this.indexOf(track) >= 0;
  }

  document() {
    const { medium, options } = this.report;
    return {
      format: "ina-corrections",
      version: 1,
      source: { uri: medium.uri, name: medium.name, options },
      corrections: this.made,
    };
  }
}

/** `f 34`, without what is unknown. */
function sexAndAge({ sex, age }) {
  const years = age && age.label ? String(Math.round(Number(age.label))) : "";
  return [sex && sex.label, years].filter(Boolean).join(" ");
}

function unseen(id) {
  return { id, faces: 0, screen: 0, sample: -1, intervals: [] };
}

function see(person, sample, time, duration) {
  person.faces++;
  if (person.sample === sample) return;
  person.sample = sample;
  person.screen += duration;
  const last = person.intervals[person.intervals.length - 1];
  if (last && time <= last[1] + SAME_TIME_S) last[1] = Math.max(last[1], time + duration);
  else person.intervals.push([time, time + duration]);
}

function rowsOfTracks({ rows, tracks }) {
  const found = tracks.id.map(() => []);
  for (let row = 0; row < rows.count; row++) found[rows.track[row]].push(row);
  return found;
}

/** The longest time for which a box is drawn. */
function longestSpan({ rows }) {
  let longest = 0;
  for (let sample = 0; sample < rows.samples; sample++) {
    const [first, end] = rowsOf(rows, sample);
    longest = Math.max(longest, rows.duration[sample]);
    for (let row = first; row < end; row++) {
      if (!rows.next[row]) continue;
      const later = lastAtMost(rows.start, row + rows.next[row]);
      longest = Math.max(longest, rows.time[later] - rows.time[sample]);
    }
  }
  return longest;
}

/** At most `count` rows from all over a track. */
function spread(all, count) {
  const length = Math.min(count, all.length);
  return Array.from({ length }, (_, i) => all[Math.floor(((i + 0.5) * all.length) / length)]);
}

/** Attributes of tracks as one: ages averaged, of other labels that with the most weight. */
function averages({ labels, weight }, tracks) {
  const found = {};
  for (const [head, all] of Object.entries(labels)) {
    const known = tracks.filter((track) => all[track] !== "");
    const label = head === "age" ? meanOf(known, all, weight) : mostOf(known, all, weight);
    found[head] = { label, low: null, high: null };
  }
  return found;
}

function meanOf(tracks, labels, weight) {
  let sum = 0;
  let total = 0;
  for (const track of tracks) {
    sum += weight[track] * Number(labels[track]);
    total += weight[track];
  }
  return total ? (sum / total).toFixed(1) : "";
}

function mostOf(tracks, labels, weight) {
  const votes = new Map();
  for (const track of tracks) votes.set(labels[track], (votes.get(labels[track]) || 0) + weight[track]);
  return [...votes].sort((a, b) => b[1] - a[1]).map(([label]) => label)[0] || "";
}
